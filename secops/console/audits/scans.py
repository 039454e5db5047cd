"""Scanners' files: what they found, and what is scanned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.models.risks import (
    FINDING_STATES,
    SCOPE_STATES,
    SEVERITIES,
    FindingFilter,
    ScanFinding,
)
from audits.models.systems import THIS_INSTANCE
from audits.service.risks.scans import NewScan, ScanService
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_minute
from secops.kernel.catalogue import Language
from secops.kernel.permissions.audits import IMPORT_SCAN, MANAGE_RECTIFICATION, READ_RISKS
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_FINDINGS: Final = (
    Column("title", N_("发现")),
    Column("rule", N_("编号")),
    Column("severity", N_("严重程度")),
    Column("asset", N_("资产")),
    Column("place", N_("位置")),
    Column("scope", N_("扫描范围")),
    Column("seen", N_("最近发现")),
    Column("due", N_("完成期限")),
    Column("state", N_("状态")),
)
_SEVERITIES: Final = {"critical": "bad", "high": "bad", "medium": "warn"}
_MAX_SCAN: Final = 21 << 20


@dataclass(frozen=True, slots=True)
class _Scans:
    desk: Desk

    @property
    def scans(self) -> ScanService:
        """The service of scans."""
        return self.desk.parts.audits.rectification.scans

    def list_findings(self, request: Request) -> Response:
        """Show scanners' findings, the last seen first."""
        query, caller = request.query, request.caller
        names = ("system", "scope", "state", "severity")
        wanted = FindingFilter(*(query.get(name, "") for name in names))
        page = self.scans.list_findings(caller, wanted, wanted_page(request))
        rows = [self._finding_row(finding, request.language) for finding in page.items]
        table = Table(N_("扫描发现"), _FINDINGS, rows, page.next, N_("没有扫描发现"))
        return self.desk.list_page(
            request,
            "audits/findings.html",
            table,
            states=FINDING_STATES,
            severities=SEVERITIES,
            scopes=self.scans.list_scan_scopes(caller, wanted.system_id),
            scope_states=SCOPE_STATES,
            query=query,
            may_import=caller.may(IMPORT_SCAN),
            may_make=caller.may(MANAGE_RECTIFICATION),
        )

    def import_scan(self, request: Request) -> Response:
        """Read a scanner's file."""
        form = request.form
        upload = chosen_file(request, "file", "a scanner's file is needed")
        columns = {n.removeprefix("column_"): v.strip() for n, v in form.items() if v.strip()}
        mapping = {n: v for n, v in columns.items() if f"column_{n}" in form}
        new = NewScan(
            format=form.get("format", ""),
            content=upload.content,
            scope=form.get("scope", ""),
            scanned_at=local_minute(form.get("scanned_at", "")),
            system_id=form.get("system", "").strip() or THIS_INSTANCE,
            mapping=mapping,
        )
        self.scans.import_scan(request.caller, new)
        return redirect("/risks/findings?state=open")

    def retire_scan_scope(self, request: Request) -> Response:
        """Give a scope up, for a reason."""
        form = request.form
        names = ("system", "scope", "reason")
        self.scans.retire_scan_scope(request.caller, *(form.get(name, "") for name in names))
        return redirect("/risks/findings?state=retired")

    def _finding_row(self, finding: ScanFinding, language: Language) -> Sequence[Cell]:
        late, due = finding.overdue(self.desk.parts.clock.now()), finding.due_at
        severity = finding.severity
        return (
            Cell(finding.title),
            Cell(finding.rule_id),
            Cell(
                SEVERITIES[severity].into(language),
                badge=_SEVERITIES.get(severity, ""),
                sort=list(SEVERITIES).index(severity),
            ),
            Cell(finding.asset),
            Cell(finding.place),
            Cell(finding.scope),
            Cell("", instant=finding.last_at),
            Cell("" if due else "—", instant=due or None, badge="bad" if late else ""),
            Cell(
                FINDING_STATES[finding.state].into(language),
                badge="good" if finding.state == "gone" else "warn",
            ),
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of scanners' findings."""
    here, page = _Scans(desk), "/risks/findings"
    return (
        get_page(page, "show_findings", READ_RISKS, here.list_findings),
        post_page(page, "import_scan_form", IMPORT_SCAN, here.import_scan, max_body=_MAX_SCAN),
        post_page(
            f"{page}/scopes/retire", "retire_scan_scope_form", IMPORT_SCAN, here.retire_scan_scope
        ),
    )
