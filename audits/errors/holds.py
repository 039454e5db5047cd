"""What can go wrong with legal holds."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class HoldNotFound(NotFound):
    """There is no such legal hold."""

    code = "audits.hold_not_found"
    title = Text("没有这个证据保全", "There is no such legal hold")
    remedy = Text(
        "请用 secops audits list-legal-holds 查看。", "See `secops audits list-legal-holds`."
    )


class HoldInvalid(Invalid):
    """A legal hold's days, matter or reason make no sense."""

    code = "audits.hold_invalid"
    title = Text("证据保全的内容不正确", "The legal hold is not valid")
    remedy = Text(
        "请填写起止日期(截止日在后)、案由和理由。",
        "Give the first and the last day (the last not before the first), matter and reason.",
    )


class HoldLifted(Conflict):
    """The legal hold was lifted already."""

    code = "audits.hold_lifted"
    title = Text("该证据保全已解除", "The legal hold was lifted already")
    remedy = Text("如仍需保全,请另行设立。", "Place a new one if the logs are still needed.")
