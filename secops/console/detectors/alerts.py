"""The queue of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlencode

from detectors.models.alerts import Alert, AlertFilter, AlertStatus
from detectors.models.rules import Severity
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

SEVERITIES: Final = {"critical": N_("紧急"), "high": N_("高"), "medium": N_("中"), "low": N_("低")}
_RANK: Final = {"low": 1, "medium": 2, "high": 3, "critical": 4}
STATUSES: Final = {
    "open": N_("待处理"),
    "closed": N_("已关闭"),
    "suppressed": N_("已抑制"),
    "revised": N_("已修正"),
}
_VIEW: Final = ("status", "severity", "rule", "subject")
_COLUMNS: Final = (
    Column("severity", N_("级别")),
    Column("title", N_("告警")),
    Column("subjects", N_("对象")),
    Column("count", N_("事件数")),
    Column("last", N_("最近事件")),
    Column("status", N_("状态")),
)


def alert_title(request: Request, alert: Alert) -> str:
    """Return the alert's title in the reader's language, as far as its rule has one."""
    return alert.custom.get(f"title_{request.language}") or alert.title


def read_filter(asked: Mapping[str, str], status: str) -> AlertFilter:
    """Return the queue's filter that an address or a form asks for."""
    severity = asked.get("severity", "")
    return AlertFilter(
        status=cast("AlertStatus", status) if status in STATUSES else None,
        severity=cast("Severity", severity) if severity in SEVERITIES else None,
        rule_id=asked.get("rule") or None,
        subject=asked.get("subject") or None,
    )


def _href(request: Request, alert: Alert) -> str:
    """Return the alert's page; it knows the view it was opened from, for next and previous."""
    view = {name: text for name, text in request.query.items() if name in _VIEW and text}
    return f"/alerts/{alert.id}" + (f"?{urlencode(view)}" if view else "")


@dataclass(frozen=True, slots=True)
class _Alerts:
    desk: Desk

    def list_alerts(self, request: Request) -> Response:
        """Show the queue; the filters stand in the address."""
        query = request.query
        status = query.get("status", "open")
        wanted = read_filter(query, status)
        alerts = self.desk.parts.detectors.alerts
        page = alerts.list_alerts(request.caller, wanted, wanted_page(request))
        rows = [self._row(request, alert) for alert in page.items]
        table = Table(N_("告警"), _COLUMNS, rows, page.next, N_("没有告警"))
        return self.desk.list_page(
            request,
            "detectors/alerts.html",
            table,
            chosen_status=status,
            chosen_severity=wanted.severity or "",
            chosen_rule=wanted.rule_id or "",
            chosen_subject=wanted.subject or "",
            may_close=request.caller.may(ALERT_CLOSE) and wanted.status == "open",
            severities=SEVERITIES,
            statuses=STATUSES,
        )

    def _row(self, request: Request, alert: Alert) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        return (
            Cell(
                word(request, SEVERITIES.get(alert.severity, alert.severity)),
                badge=f"severity-{alert.severity}",
                sort=_RANK.get(alert.severity, 0),
            ),
            Cell(alert_title(request, alert), href=_href(request, alert)),
            Cell(", ".join(f"{name}={value}" for name, value in sorted(alert.subjects.items()))),
            Cell(str(alert.event_count), sort=alert.event_count),
            Cell("", instant=alert.last_at),
            Cell(word(request, STATUSES.get(alert.status, alert.status))),
        )

    def close_alert(self, request: Request) -> Response:
        """Close it with a reason."""
        alert_id = request.args["alert_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.detectors.alerts.close_alert(request.caller, alert_id, reason)
        return redirect(f"/alerts/{alert_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the alert pages."""
    here = _Alerts(desk)
    return (
        get_page("/alerts", "show_alerts", ALERT_READ, here.list_alerts),
        post_page("/alerts/<alert_id>/close", "close_alert_form", ALERT_CLOSE, here.close_alert),
    )
