"""Reports: export one or an archive, what was exported, verify a file, prove one finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from audits.errors import ReportChanged, ReportRejected
from audits.models.forms import FORMS
from audits.models.reports import Report
from audits.service.reports.forms import form_named
from audits.service.reports.reports import Wishes, zipped
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.catalogue import Text
from secops.kernel.errors import SecopsError
from secops.kernel.permissions.audits import EXPORT_REPORT, READ_ASSESSMENTS
from secops.web.messages import Request, Response, file_response
from secops.web.paging import wanted_page
from secops.web.routes import Route

_MAX_BODY: Final = 96 << 20
_SHOWN: Final = 200
_ARCHIVE: Final = Text("归档", "Archive")
_HOW: Final = {
    "changed": Text("内容被改", "changed"),
    "missing": Text("缺失", "missing"),
    "added": Text("新增", "added"),
    "marked": Text("仅样式或字节不同", "only marks or bytes differ"),
    "moved": Text("换了位置", "moved"),
    "unreadable": Text("无法解析", "unreadable"),
}
_COLUMNS: Final = (
    Column("at", N_("时间")),
    Column("assessment", N_("自查")),
    Column("form", N_("格式")),
    Column("language", N_("语言")),
    Column("by", N_("导出人")),
    Column("partners", N_("加密给")),
    Column("sha256", N_("SHA-256")),
)


@dataclass(frozen=True, slots=True)
class _Reports:
    desk: Desk

    def list_exports(self, request: Request) -> Response:
        """Show what was exported, and the forms to verify a file and to prove a finding."""
        return self._page(request)

    def verify_report(self, request: Request) -> Response:
        """Verify an uploaded report; what was changed is named."""
        content, proof = _given(request)
        try:
            verified = self.desk.parts.audits.reports.verify_report(request.caller, content, proof)
        except ReportRejected as error:
            changes = error.changes if isinstance(error, ReportChanged) else ()
            return self._page(
                request, status=error.status, error=error, changes=changes[:_SHOWN], how=_HOW
            )
        return self._page(request, verified=verified)

    def prove_finding(self, request: Request) -> Response:
        """Give the file that proves one item of an uploaded report."""
        content, proof = _given(request)
        item = request.form.get("item", "").strip()
        try:
            finding = self.desk.parts.audits.reports.prove_finding(
                request.caller, content, proof, item
            )
        except SecopsError as error:
            return self._page(request, status=error.status, error=error, changes=(), how=_HOW)
        return file_response(finding, "application/json", "finding.json")

    def _page(self, request: Request, status: int = 200, **verdict: Any) -> Response:
        reports = self.desk.parts.audits.reports
        page = reports.list_exports(request.caller, wanted_page(request))
        language = request.language
        rows = [
            (
                Cell("", instant=each.at),
                Cell(each.assessment_id, href=f"/assessments/{each.assessment_id}"),
                Cell(_title(each.form).into(language)),
                Cell(each.language),
                Cell(each.exported_by),
                Cell(each.partners),
                Cell(each.sha256),
            )
            for each in page.items
        ]
        table = Table(N_("已导出的报告"), _COLUMNS, rows, page.next, N_("还没有导出"))
        shown = {"verified": None, "error": None, "changes": (), "how": _HOW, **verdict}
        return self.desk.list_page(request, "audits/reports.html", table, status=status, **shown)

    def ask_export(self, request: Request) -> Response:
        """Ask for form, language and partners."""
        document = self.desk.parts.audits.assessments.show_assessment(
            request.caller, request.args["assessment_id"]
        )
        return self.desk.page(request, "audits/export.html", document=document, forms=FORMS)

    def export_report(self, request: Request) -> Response:
        """Download a report with its proof, or both as one message to partners."""
        reports, which = self.desk.parts.audits.reports, request.args["assessment_id"]
        form, partners = form_named(request.form.get("format", "html")), _partners(request)
        if partners:
            return _sent(
                reports.protect_report(
                    request.caller, which, form, request.language, wishes=Wishes(partners=partners)
                )
            )
        made = reports.export_report(request.caller, which, form, request.language)
        return file_response(zipped(made), "application/zip", f"{made.name}.zip")

    def export_archive(self, request: Request) -> Response:
        """Download the archive of an assessment."""
        made = self.desk.parts.audits.archives.pack_archive(
            request.caller,
            request.args["assessment_id"],
            request.language,
            wishes=Wishes(partners=_partners(request)),
        )
        return _sent(made)


def _sent(made: Report) -> Response:
    return file_response(made.content, made.media_type, made.name)


def _title(form: str) -> Text:
    return next((kind.title for name, kind in FORMS.items() if name == form), _ARCHIVE)


def _partners(request: Request) -> tuple[str, ...]:
    return tuple(request.form.get("partners", "").replace(",", " ").split())


def _given(request: Request) -> tuple[bytes, bytes]:
    report = chosen_file(request, "report", "choose a report")
    return report.content, chosen_file(request, "proof", "choose the report's .proof").content


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages about reports."""
    here = _Reports(desk)
    one = "/assessments/<assessment_id>"
    return (
        get_page("/reports", "show_reports", READ_ASSESSMENTS, here.list_exports),
        post_page(
            "/reports/verification",
            "verify_report_form",
            READ_ASSESSMENTS,
            here.verify_report,
            max_body=_MAX_BODY,
        ),
        post_page(
            "/reports/finding",
            "prove_finding_form",
            READ_ASSESSMENTS,
            here.prove_finding,
            max_body=_MAX_BODY,
        ),
        get_page(f"{one}/export", "show_export_page", EXPORT_REPORT, here.ask_export),
        post_page(
            f"{one}/report",
            "export_report_form",
            EXPORT_REPORT,
            here.export_report,
            fresh_seconds=FRESH_SECONDS,
        ),
        post_page(
            f"{one}/archive",
            "export_archive_form",
            EXPORT_REPORT,
            here.export_archive,
            fresh_seconds=FRESH_SECONDS,
        ),
    )
