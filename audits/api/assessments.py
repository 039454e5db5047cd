"""HTTP of self-assessment: assess, list, show, enter, export."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.service.assessment_views import assessment_view, summary_view
from audits.service.assessments import THIS_INSTANCE, AssessmentService, Judgement
from audits.service.reports import FORMATS, ReportService
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import (
    ASSESS,
    ENTER_JUDGEMENT,
    EXPORT_REPORT,
    READ_ASSESSMENTS,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema

_OBJECT: Final = {"type": "object"}


@dataclass(frozen=True, slots=True)
class _Assessments:
    assessments: AssessmentService
    reports: ReportService

    def assess(self, request: Request) -> Response:
        body = request.json_object()
        level = body.get("level", 3)
        if type(level) is not int:
            raise Invalid("level is a whole number")
        assessment = self.assessments.assess(
            request.caller,
            _text(body, "standard", "gbt22239"),
            level,
            _text(body, "system", THIS_INSTANCE),
        )
        return json_response(assessment_view(assessment), 201)

    def list_assessments(self, request: Request) -> Response:
        wanted = wanted_page(request)
        page = self.assessments.list_assessments(request.caller, wanted)
        return page_response(page, summary_view)

    def show_assessment(self, request: Request) -> Response:
        document = self.assessments.show_assessment(request.caller, request.args["assessment_id"])
        return json_response(document)

    def enter_judgement(self, request: Request) -> Response:
        body = request.json_object()
        days = body.get("days", 180)
        if type(days) is not int:
            raise Invalid("days is a whole number")
        judgement = Judgement(
            item_id=_text(body, "item"),
            status=_text(body, "status"),  # type: ignore[arg-type] # the service checks it
            reason=_text(body, "reason"),
            person=_text(body, "person"),
            evidence_digest=_text(body, "evidence", ""),
            days=days,
        )
        entry = self.assessments.enter_judgement(
            request.caller, _text(body, "standard", "gbt22239"), judgement
        )
        return json_response({"id": entry.id, "expires_at": entry.expires_at}, 201)

    def export_report(self, request: Request) -> Response:
        body = request.json_object()
        form, language = _text(body, "format", "html"), _text(body, "language", "zh")
        if form not in FORMATS or language not in ("zh", "en"):
            raise Invalid("format is html or json, language zh or en")
        report = self.reports.export_report(
            request.caller,
            request.args["assessment_id"],
            "html" if form == "html" else "json",
            "zh" if language == "zh" else "en",
        )
        return json_response(
            {
                "name": report.name,
                "media_type": report.media_type,
                "content": base64.b64encode(report.content).decode(),
                "proof": base64.b64encode(report.proof).decode(),
            }
        )


def _text(body: dict[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str):
        raise Invalid(f"{name} is a text")
    return value


def assessment_routes(assessments: AssessmentService, reports: ReportService) -> Sequence[Route]:
    """Return the routes of self-assessment."""
    here = _Assessments(assessments, reports)
    base = "/api/v1/audits/assessments"
    return (
        Route(
            method="POST",
            path=base,
            operation="assess",
            access=ASSESS,
            handler=here.assess,
            request=Schema("AssessmentWish", _OBJECT),
            response=Schema("Assessment", _OBJECT),
        ),
        Route(
            method="GET",
            path=base,
            operation="list_assessments",
            access=READ_ASSESSMENTS,
            handler=here.list_assessments,
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{base}/<assessment_id>",
            operation="show_assessment",
            access=READ_ASSESSMENTS,
            handler=here.show_assessment,
            response=Schema("Assessment", _OBJECT),
        ),
        Route(
            method="POST",
            path="/api/v1/audits/judgements",
            operation="enter_judgement",
            access=ENTER_JUDGEMENT,
            handler=here.enter_judgement,
            request=Schema("Judgement", _OBJECT),
        ),
        Route(
            method="POST",
            path=f"{base}/<assessment_id>/report",
            operation="export_report",
            access=EXPORT_REPORT,
            handler=here.export_report,
            request=Schema("ReportWish", _OBJECT),
            fresh_seconds=FRESH_SECONDS,
        ),
    )
