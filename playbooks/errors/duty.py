"""Refusals of duty rosters, shifts, swaps and escalations."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class RosterNameTaken(Conflict):
    """The organisation has a roster of that name."""

    code = "playbooks.roster_name_taken"
    title = Text("值班表名称已被使用", "A roster has this name already")
    remedy = Text(
        "请换一个名称,或修改已有的值班表。", "Choose another name, or change that roster."
    )


class RosterInvalid(Invalid):
    """The roster's name, members or policy can't be used."""

    code = "playbooks.roster_invalid"
    status = 422
    title = Text("值班表内容无效", "The roster can't be used like this")
    remedy = Text(
        "请检查名称、成员(本机构账户及其渠道)和升级步骤。",
        "Look at its name, its members (accounts and channels of your own) and its steps.",
    )


class RosterUnknown(NotFound):
    """No roster of that id is visible to the caller."""

    code = "playbooks.roster_unknown"
    title = Text("未找到值班表", "Roster not found")


class ShiftInvalid(Invalid):
    """The shift's times or people can't be used."""

    code = "playbooks.shift_invalid"
    status = 422
    title = Text("班次内容无效", "The shift can't be used like this")
    remedy = Text(
        "请检查起止时间(不超过 7 天、不与其他班次重叠)和人员。",
        "Look at its times (7 days at most, apart from other shifts) and its people.",
    )


class ShiftUnknown(NotFound):
    """No shift of that id is visible to the caller."""

    code = "playbooks.shift_unknown"
    title = Text("未找到班次", "Shift not found")


class SwapRefused(Conflict):
    """The swap can't be asked for or agreed to as things stand."""

    code = "playbooks.swap_refused"
    title = Text("不能这样换班", "The swap can't be done")
    remedy = Text(
        "换班由当事一方提出、另一方同意;班次已变更或已结束的,请重新提出。",
        "One of the two asks and the other agrees; ask anew if the shift changed or is over.",
    )


class SwapUnknown(NotFound):
    """No swap of that id is visible to the caller."""

    code = "playbooks.swap_unknown"
    title = Text("未找到换班申请", "Swap not found")


class NotOnRoster(Forbidden):
    """Only people of the roster do this."""

    code = "playbooks.not_on_roster"
    title = Text("仅限该值班表的成员操作", "Only people of this roster may do this")
    remedy = Text("请由值班表成员操作。", "Have a member of the roster do it.")


class EscalationUnknown(NotFound):
    """No escalation of that id is visible to the caller."""

    code = "playbooks.escalation_unknown"
    title = Text("未找到值班呼叫", "Escalation not found")


class EscalationAcknowledged(Conflict):
    """Somebody acknowledged it before."""

    code = "playbooks.escalation_acknowledged"
    title = Text("该值班呼叫已被确认", "Somebody acknowledged it before")
    remedy = Text("请查看由谁确认,必要时直接联系。", "See who did, and speak to them if need be.")
