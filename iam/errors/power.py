"""Refusals about organisations, mandates, changes that take two persons, and imports."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid


class StaleChange(Conflict):
    """The target has changed since the request was made: what was seen is no longer so."""

    code = "iam.stale_change"
    title = Text("变更申请所依据的内容已改变", "What the request was based on has changed")
    remedy = Text("请撤回后按现状重新申请。", "Withdraw it and ask again from how things are now.")


class OwnChange(Forbidden):
    """Requester, approver and the person concerned are three roles for at least two people."""

    code = "iam.own_change"
    title = Text(
        "不能审批本人提出或涉及本人的变更", "Nobody decides what they asked for or gain by"
    )
    remedy = Text(
        "请由另一名具有审批权限的人员办理;同一人的其他账户不算另一人。",
        "Ask another person who may approve it; a second account of the same person is not one.",
    )


class TwoPersonsNeeded(Conflict):
    """One person alone makes nobody an administrator."""

    code = "iam.two_persons_needed"
    title = Text("该变更须由两人办理", "This change takes two persons")
    remedy = Text(
        "请提交变更申请,由另一名有审批权限的人员批准(secops iam request-change)。",
        "Make a change request that another person approves (secops iam request-change).",
    )


class OrganisationInUse(Conflict):
    """Something still hangs on the organisation, or the move would make a circle."""

    code = "iam.organisation_in_use"
    title = Text("机构仍在使用中", "The organisation is in use")
    remedy = Text(
        "请先移走或注销其下级机构和账户,再行操作。",
        "Move or close the organisations and accounts in it first.",
    )


class MandateRefused(Forbidden):
    """Who grants it, to whom, or what it covers does not hold."""

    code = "iam.mandate_refused"
    title = Text("授权不成立", "The mandate does not hold")
    remedy = Text(
        "授权由法定代表人本人(实名四级以上或证书登录)作出,不得转授,范围与期限须明确。",
        "The legal representative grants it in person (real-name level 4 or a certificate); "
        "it is not passed on, and names its scope and dates.",
    )


class PrivilegeRefused(Forbidden):
    """A privilege with an end is asked for, or approved, against its rules."""

    code = "iam.privilege_refused"
    title = Text("临时权限申请不符合规定", "The privilege can't be had like this")
    remedy = Text(
        "普通申请至多 24 小时,由安全管理员批准;紧急申请至多 4 小时,由另一类管理员批准。",
        "At most 24 hours, approved by a security administrator; in an emergency at most 4, "
        "approved by an administrator of another kind.",
    )


class ImportRefused(Invalid):
    """The file of people can't be read, or a row of it is wrong and all were wanted."""

    code = "iam.import_refused"
    title = Text("导入文件有误", "The file of people can't be imported")
    remedy = Text(
        "请按预览中各行的提示改正后重试,或选择只导入正确的行。",
        "Correct the rows the preview names and try again, or import the good rows only.",
    )
