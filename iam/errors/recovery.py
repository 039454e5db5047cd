"""Refusals of recoveries and of accounts sealed for emergencies."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict


class ResetTooEarly(Conflict):
    """Its owner was told of the reset and still has time to cancel it; ``not_before`` says when."""

    code = "iam.reset_too_early"
    title = Text("等待期未满,暂不能重置", "The reset still waits for its time")
    remedy = Text(
        "请在等待期结束后完成;紧急情况可由第三位管理员缩短等待期(hasten-reset)。",
        "Complete it when its time has come; in an emergency a third administrator "
        "may shorten the wait (hasten-reset).",
    )


class ResetOver(Conflict):
    """The reset was cancelled by its owner, rejected, carried out, or has expired."""

    code = "iam.reset_over"
    title = Text("该重置申请已取消或失效", "The reset was cancelled or is over")
    remedy = Text(
        "如由本人取消,请先核实是否有人冒用;确需重置请重新申请。",
        "If its owner cancelled it, find out whether somebody is impersonating them; "
        "ask anew if it is still needed.",
    )


class BreakGlassState(Conflict):
    """The emergency account's seal is not as it would have to be."""

    code = "iam.break_glass_state"
    title = Text("应急账户当前状态不允许此操作", "The emergency account's state does not allow it")
    remedy = Text(
        "请用 secops iam list-break-glass 查看状态;用后须重新封存并复核。",
        "See its state with `secops iam list-break-glass`; after a use it is sealed anew "
        "and looked into.",
    )


class BreakGlassKept(Conflict):
    """An account sealed for emergencies is there for when nobody else is."""

    code = "iam.break_glass_kept"
    title = Text("应急账户不能这样变更", "An emergency account is not changed this way")
    remedy = Text(
        "请用 retire-break-glass 由两人撤销后再处理。",
        "Two persons retire it first (retire-break-glass).",
    )
