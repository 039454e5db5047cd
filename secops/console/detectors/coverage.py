"""What the rules cover: ATT&CK's matrix, and log sources with and without rules or data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.coverage import SourceCoverage
from detectors.service.runs.coverage import MATRIX_DAYS
from secops.console.detectors.rules import rules_link
from secops.console.parts import Desk, get_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.permissions.detectors import RULE_READ
from secops.web.messages import Request, Response
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("logsource", N_("日志源")),
    Column("rules", N_("规则数")),
    Column("enabled", N_("运行中")),
    Column("sources", N_("已入库的来源")),
    Column("events", N_("事件数")),
    Column("state", N_("结论")),
)


@dataclass(frozen=True, slots=True)
class _Coverage:
    desk: Desk

    def show_coverage(self, request: Request) -> Response:
        """Show the matrix and the log sources."""
        coverage = self.desk.parts.detectors.coverage
        columns = coverage.show_matrix(request.caller)
        rows = [self._row(request, each) for each in coverage.show_sources(request.caller)]
        table = Table(N_("日志源覆盖"), _COLUMNS, rows)
        techniques = {c.technique for column in columns for c in column.techniques}
        running = {c.technique for column in columns for c in column.techniques if c.enabled}
        return self.desk.list_page(
            request,
            "detectors/coverage.html",
            table,
            columns=[(Text(c.tactic.zh, c.tactic.en), c) for c in columns],
            days=MATRIX_DAYS,
            techniques=len(techniques),
            running=len(running),
            link=rules_link,
        )

    def _row(self, request: Request, source: SourceCoverage) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        state, badge = _conclusion(source)
        return (
            Cell(source.logsource, href=rules_link(q=source.logsource)),
            Cell(str(source.rules), sort=source.rules),
            Cell(str(source.enabled), sort=source.enabled),
            Cell(", ".join(source.sources) or "—"),
            Cell(str(source.events), sort=source.events),
            Cell(word(request, state), badge=badge),
        )


def _conclusion(source: SourceCoverage) -> tuple[str, str]:
    if source.events and source.enabled:
        return N_("有数据、有规则"), "good"
    if source.enabled:
        return N_("有规则、没有数据"), "warn"
    if source.events:
        return N_("有数据、没有规则"), "warn"
    return N_("未启用"), ""


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the coverage page."""
    return (get_page("/coverage", "show_coverage", RULE_READ, _Coverage(desk).show_coverage),)
