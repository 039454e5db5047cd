"""What the pages about alerts share, and closing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from detectors.models import rules
from detectors.models.alerts import Alert
from secops.console.parts import Desk, post_page
from secops.console.tables import Cell
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

SEVERITIES: Final[Mapping[str, str]] = {
    "critical": N_("紧急"),
    "high": N_("高"),
    "medium": N_("中"),
    "low": N_("低"),
}
KINDS: Final[Mapping[str, str]] = {
    "account": N_("账户"),
    "session": N_("会话"),
    "client": N_("应用"),
    "key": N_("密钥"),
    "seal": N_("印章"),
    "address": N_("地址"),
}
_RANKS: Final[Mapping[str, int]] = {each: rank for rank, each in enumerate(rules.SEVERITIES)}
STATUSES: Final = {
    "open": N_("待处理"),
    "closed": N_("已关闭"),
    "suppressed": N_("已抑制"),
    "revised": N_("已修正"),
}


def alert_title(request: Request, alert: Alert) -> str:
    """Return the alert's title in the reader's language, as far as its rule has one."""
    return alert.custom.get(f"title_{request.language}") or alert.title


def severity_cell(desk: Desk, request: Request, severity: str) -> Cell:
    """Return the cell of a severity; it sorts by how grave that is."""
    text = desk.renderer.word(request, SEVERITIES.get(severity, severity))
    return Cell(text, badge=f"severity-{severity}", sort=_RANKS.get(severity, -1))


def handle_alert(desk: Desk, request: Request, alert_id: str, version: int | None) -> None:
    """Acknowledge the alert, take it or give it away, as the form's ``verb`` says.

    Raises ``Invalid`` for another verb, or where it is to be given away unseen: without a
    ``version``.
    """
    handling, caller, form = desk.parts.detectors.handling, request.caller, request.form
    verb = form.get("verb")
    if verb == "acknowledge":
        handling.acknowledge_alert(caller, alert_id)
    elif verb == "take":
        handling.take_alert(caller, alert_id)
    elif verb == "assign":
        if version is None:
            raise Invalid("version is that of the alert as it was shown")
        handling.assign_alert(caller, alert_id, form.get("to", ""), version)
    else:
        raise Invalid("verb is acknowledge, take or assign")


@dataclass(frozen=True, slots=True)
class _Alerts:
    desk: Desk

    def close_alert(self, request: Request) -> Response:
        """Close it with a reason."""
        alert_id = request.args["alert_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.detectors.alerts.close_alert(request.caller, alert_id, reason)
        return redirect(f"/alerts/{alert_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of what is done with one alert."""
    here = _Alerts(desk)
    return (
        post_page("/alerts/<alert_id>/close", "close_alert_form", ALERT_CLOSE, here.close_alert),
    )
