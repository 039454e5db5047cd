"""Log search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secops.console.parts import Desk, get_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import LOG_SEARCH
from secops.web.messages import Request, Response
from secops.web.routes import Route

_SHOWN: Final = 100
_COLUMNS: Final = (
    Column("at", N_("时间")),
    Column("source", N_("来源")),
    Column("action", N_("动作")),
    Column("outcome", N_("结果")),
    Column("line", N_("原文")),
)


@dataclass(frozen=True, slots=True)
class _Logs:
    desk: Desk

    def search_logs(self, request: Request) -> Response:
        """Search by a Lucene-style query; the newest hundred are shown."""
        query = request.query.get("q", "*")
        error, found = None, []
        logs = self.desk.parts.detectors.logs
        try:
            found = list(logs.search_logs(request.caller, query, limit=_SHOWN))
        except Invalid as refused:
            error = refused
        rows = []
        for stored in found:
            event = stored.event
            raw = event.raw.decode("utf-8", "replace")
            action, outcome = (
                str(event.fields.get(name, "")) for name in ("event.action", "event.outcome")
            )
            at = Cell("", instant=event.at)
            rows.append((at, Cell(event.source), Cell(action), Cell(outcome), Cell(raw)))
        table = Table(N_("日志"), _COLUMNS, rows, None, N_("没有匹配的日志"))
        sources = logs.summarise_sources(request.caller)
        return self.desk.list_page(
            request, "detectors/logs.html", table, q=query, error=error, sources=sources
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the search page."""
    return (get_page("/logs", "show_logs", LOG_SEARCH, _Logs(desk).search_logs),)
