"""How soon alerts are to be acknowledged and closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models import rules
from secops.console.detectors.alerts import SEVERITIES, severity_cell
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_DEADLINE_SET, ALERT_READ
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_DEADLINES: Final = (
    Column("severity", N_("级别")),
    Column("acknowledge", N_("受理时限(分钟)")),
    Column("resolve", N_("关闭时限(分钟)")),
    Column("by", N_("设定人")),
    Column("at", N_("设定时间")),
)


@dataclass(frozen=True, slots=True)
class _Deadlines:
    desk: Desk

    def list_alert_deadlines(self, request: Request) -> Response:
        """Show how soon alerts are to be acknowledged and closed; who may, decides."""
        found = self.desk.parts.detectors.alert_deadlines.list_alert_deadlines(request.caller)
        word = self.desk.renderer.word
        rows = [
            (
                severity_cell(self.desk, request, severity),
                Cell(_minutes(found[severity].acknowledge), sort=found[severity].acknowledge),
                Cell(_minutes(found[severity].resolve), sort=found[severity].resolve),
                Cell(found[severity].set_by or word(request, N_("默认值"))),
                Cell("—")
                if found[severity].set_at is None
                else Cell("", instant=found[severity].set_at),
            )
            for severity in reversed(rules.SEVERITIES)
        ]
        return self.desk.list_page(
            request,
            "detectors/alert_deadlines.html",
            Table(N_("告警处置时限"), _DEADLINES, rows),
            severities=SEVERITIES,
            may_set=request.caller.may(ALERT_DEADLINE_SET),
        )

    def set_alert_deadline(self, request: Request) -> Response:
        """Decide it for one severity."""
        form = request.form
        severity = next((each for each in rules.SEVERITIES if each == form.get("severity")), None)
        minutes = [whole_number(form.get(name, ""), 6) for name in ("acknowledge", "resolve")]
        if severity is None or minutes[0] is None or minutes[1] is None:
            raise Invalid("a severity, and two whole numbers of minutes")
        self.desk.parts.detectors.alert_deadlines.set_alert_deadline(
            request.caller, severity, (minutes[0], minutes[1]), form.get("reason", "")
        )
        return redirect("/alert-deadlines")


def _minutes(span: int) -> str:
    return f"{span // MINUTE:,}"


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the deadlines' page."""
    here, path = _Deadlines(desk), "/alert-deadlines"
    return (
        get_page(path, "show_alert_deadlines", ALERT_READ, here.list_alert_deadlines),
        post_page(path, "set_alert_deadline_form", ALERT_DEADLINE_SET, here.set_alert_deadline),
    )
