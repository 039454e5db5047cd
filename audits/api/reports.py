"""HTTP of reports: export, archive, list what left, verify, prove one finding."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.api.bodies import content_of
from audits.models.reports import Report
from audits.service.reports.archives import ArchiveService
from audits.service.reports.forms import form_named
from audits.service.reports.reports import ReportService, Wishes
from audits.service.reports.views import exported_view, verified_report_view
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import EXPORT_REPORT, READ_ASSESSMENTS
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_OBJECT: Final = {"type": "object"}
_MAX_BODY: Final = 96 << 20
_MOST_PARTNERS: Final = 20


@dataclass(frozen=True, slots=True)
class _Reports:
    reports: ReportService
    archives: ArchiveService

    def export_report(self, request: Request) -> Response:
        body = request.json_object()
        form, language = form_named(_text(body, "format", "html")), _language(body)
        wishes = _wishes(body)
        export = self.reports.protect_report if wishes.partners else self.reports.export_report
        made = export(request.caller, request.args["assessment_id"], form, language, wishes=wishes)
        return json_response(_record(made))

    def export_archive(self, request: Request) -> Response:
        body = request.json_object()
        made = self.archives.pack_archive(
            request.caller,
            request.args["assessment_id"],
            _language(body),
            wishes=_wishes(body),
        )
        return file_response(made.content, made.media_type, made.name)

    def list_exports(self, request: Request) -> Response:
        page = self.reports.list_exports(request.caller, wanted_page(request))
        return page_response(page, exported_view)

    def verify_report(self, request: Request) -> Response:
        content, proof, _ = _given(request)
        verified = self.reports.verify_report(request.caller, content, proof)
        return json_response(verified_report_view(verified))

    def prove_finding(self, request: Request) -> Response:
        content, proof, body = _given(request)
        item = _text(body, "item")
        finding = self.reports.prove_finding(request.caller, content, proof, item)
        return file_response(finding, "application/json", "finding.json")


def _record(made: Report) -> dict[str, Any]:
    return {
        "name": made.name,
        "media_type": made.media_type,
        "content": base64.b64encode(made.content).decode(),
        "proof": base64.b64encode(made.proof).decode() or None,
    }


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise Invalid(f"{name} is a text")
    return value


def _language(body: dict[str, Any]) -> Language:
    language = _text(body, "language", "zh")
    if language not in ("zh", "en"):
        raise Invalid("language is zh or en")
    return "zh" if language == "zh" else "en"


def _wishes(body: dict[str, Any]) -> Wishes:
    return Wishes(_text(body, "template", ""), _partners(body))


def _partners(body: dict[str, Any]) -> tuple[str, ...]:
    partners = body.get("partners", [])
    texts = isinstance(partners, list) and all(isinstance(name, str) for name in partners)
    if not texts or len(partners) > _MOST_PARTNERS:
        raise Invalid(f"partners is a list of at most {_MOST_PARTNERS} names")
    return tuple(partners)


def _given(request: Request) -> tuple[bytes, bytes, dict[str, Any]]:
    """Return content and proof of a report that was sent, and the body they came in."""
    body = request.json_object()
    content = content_of(_text(body, "content"))
    return content, content_of(_text(body, "proof"), "proof"), body


def report_routes(reports: ReportService, archives: ArchiveService) -> Sequence[Route]:
    """Return the routes of reports."""
    here = _Reports(reports, archives)
    one, base = "/api/v1/audits/assessments/<assessment_id>", "/api/v1/audits/reports"
    return (
        named_route(
            "POST",
            f"{one}/report",
            EXPORT_REPORT,
            here.export_report,
            request=Schema("ReportWish", _OBJECT),
            fresh_seconds=FRESH_SECONDS,
        ),
        named_route(
            "POST",
            f"{one}/archive",
            EXPORT_REPORT,
            here.export_archive,
            request=Schema("ArchiveWish", _OBJECT),
            fresh_seconds=FRESH_SECONDS,
        ),
        named_route("GET", base, READ_ASSESSMENTS, here.list_exports, listing=True),
        named_route(
            "POST",
            f"{base}/verification",
            READ_ASSESSMENTS,
            here.verify_report,
            request=Schema("ReportGiven", _OBJECT),
            max_body=_MAX_BODY,
        ),
        named_route(
            "POST",
            f"{base}/finding",
            READ_ASSESSMENTS,
            here.prove_finding,
            request=Schema("FindingWish", _OBJECT),
            max_body=_MAX_BODY,
        ),
    )
