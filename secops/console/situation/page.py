"""``/situation``: seven figures, risk by system, sources, ATT&CK, and the days to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.situation import RISKY, Figure, SituationView
from detectors.service.runs.coverage import MATRIX_DAYS
from secops.console.detectors.sources import source_link
from secops.console.parts import Desk, get_page
from secops.console.situation.pictures import spark, volume_picture
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.permissions import Permission
from secops.kernel.permissions.detectors import ALERT_READ, LOG_SOURCE_READ, RULE_READ
from secops.kernel.permissions.playbooks import INCIDENT_READ
from secops.web.messages import Request, Response
from secops.web.routes import Route

SHOWN_SOURCES: Final = 12
_LISTS: Final[dict[Figure, tuple[str, str, Permission]]] = {
    "open": (N_("待处理告警"), "/alerts?status=open", ALERT_READ),
    "critical": (N_("其中紧急"), "/alerts?status=open&severity=critical", ALERT_READ),
    "unacknowledged": (N_("无人受理"), "/alerts?status=open&acknowledged=no", ALERT_READ),
    "overdue": (N_("超过时限"), "/alerts?status=open&overdue=yes", ALERT_READ),
    "incidents": (N_("未关闭事件"), "/incidents?state=open&drills=no", INCIDENT_READ),
    "risky_entities": (N_("高风险对象"), f"/entities?risk={RISKY}", ALERT_READ),
    "silent_sources": (N_("静默来源"), "/log-sources?state=silent", LOG_SOURCE_READ),
}
_SYSTEMS: Final = (
    Column("system", N_("系统(日志来源)")),
    Column("owner", N_("责任单位")),
    Column("alerts", N_("待处理告警")),
    Column("score", N_("风险分")),
)
_HOT, _WARM = 10, 3


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the seven numbers; ``href`` is "" for a reader who may not see its list."""

    title: str
    value: int
    href: str
    line: str
    days: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class HotTechnique:
    """A technique that alerts of the last days name; ``heat`` is a class of the picture."""

    tactic: Text
    technique: str
    name: str
    alerts: int
    heat: str


@dataclass(frozen=True, slots=True)
class _Page:
    desk: Desk

    def show_situation(self, request: Request) -> Response:
        """Show what the scheduler saw last, and how long ago that was."""
        actor = request.caller
        found = self.desk.parts.detectors.situations.show_situation(actor)
        if found is None:
            return self.desk.page(request, "situation/waiting.html")
        seen, forecast = found.situation, found.forecast
        expected = () if forecast is None else forecast.days
        last = seen.raised[-1][0] if seen.raised else 0
        sources = None
        if actor.may(LOG_SOURCE_READ):
            sources = self.desk.parts.detectors.source_watch.list_health(actor)
        return self.desk.list_page(
            request,
            "situation/situation.html",
            self._systems(found),
            seen=seen,
            stale=found.is_stale,
            tiles=[_tile(found, figure, actor) for figure in _LISTS],
            sources=sources,
            shown_sources=SHOWN_SOURCES,
            heat=self._heat(actor) if actor.may(RULE_READ) else None,
            heat_days=MATRIX_DAYS,
            volume=volume_picture([count for _, count in seen.raised], expected),
            forecast=forecast,
            ahead=[(last + (n + 1) * DAY, day) for n, day in enumerate(expected)],
        )

    def _systems(self, found: SituationView) -> Table:
        rows = [
            (
                Cell(each.system, href=source_link(each.system)),
                Cell(each.owner or "—"),
                Cell(str(each.alerts), sort=each.alerts),
                Cell(str(each.score), sort=each.score),
            )
            for each in found.situation.systems
        ]
        return Table(N_("按系统和责任单位的风险"), _SYSTEMS, rows, None, N_("没有待处理告警"))

    def _heat(self, actor: Actor) -> list[HotTechnique]:
        columns = self.desk.parts.detectors.coverage.show_matrix(actor)
        return [
            HotTechnique(
                Text(column.tactic.zh, column.tactic.en),
                cell.technique,
                cell.name,
                cell.hits,
                "hot" if cell.hits >= _HOT else "warm" if cell.hits >= _WARM else "mild",
            )
            for column in columns
            for cell in column.techniques
            if cell.hits
        ]


def _tile(found: SituationView, figure: Figure, actor: Actor) -> Tile:
    title, href, needed = _LISTS[figure]
    days = found.trends[figure]
    return Tile(
        title,
        found.situation.figures[figure],
        href if actor.may(needed) else "",
        spark([value for _, value in days]),
        days,
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the route of the page."""
    return (get_page("/situation", "show_situation_page", ALERT_READ, _Page(desk).show_situation),)
