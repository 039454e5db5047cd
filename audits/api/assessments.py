"""HTTP of self-assessment: assess, list, show, enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.api.bodies import COUNT, TEXT, body_of, body_schema
from audits.models.assessments import STATUSES
from audits.models.evidence import WHOLE
from audits.models.systems import THIS_INSTANCE
from audits.service.assessments.assessments import AssessmentService
from audits.service.assessments.documents import assessment_view, summary_view
from audits.service.assessments.entering import DAYS, Judgement
from secops.kernel.permissions.audits import (
    ASSESS,
    ENTER_JUDGEMENT,
    READ_ASSESSMENTS,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema

_OBJECT: Final = {"type": "object"}
_ASSESSMENT: Final = body_schema("AssessmentWish", (), standard=TEXT, level=COUNT, system=TEXT)
_JUDGEMENT: Final = body_schema(
    "Judgement",
    ("item", "status", "reason", "person"),
    standard=TEXT,
    system=TEXT,
    item=TEXT,
    object=TEXT,
    status={"type": "string", "enum": [name for name in STATUSES if name != "unassessed"]},
    reason=TEXT,
    person=TEXT,
    evidence=TEXT,
    days=COUNT,
)


@dataclass(frozen=True, slots=True)
class _Assessments:
    assessments: AssessmentService

    def assess(self, request: Request) -> Response:
        body = body_of(request, _ASSESSMENT)
        assessment = self.assessments.assess(
            request.caller,
            body.get("standard", "gbt22239"),
            body.get("level", 3),
            body.get("system", THIS_INSTANCE),
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
        body = body_of(request, _JUDGEMENT)
        judgement = Judgement(
            item_id=body["item"],
            status=body["status"],
            reason=body["reason"],
            person=body["person"],
            evidence_digest=body.get("evidence", ""),
            days=body.get("days", DAYS),
            object_id=body.get("object", WHOLE),
        )
        entry = self.assessments.enter_judgement(
            request.caller,
            body.get("standard", "gbt22239"),
            judgement,
            body.get("system", THIS_INSTANCE),
        )
        return json_response({"id": entry.id, "expires_at": entry.expires_at}, 201)


def assessment_routes(assessments: AssessmentService) -> Sequence[Route]:
    """Return the routes of self-assessment."""
    here = _Assessments(assessments)
    base = "/api/v1/audits/assessments"
    return (
        Route(
            method="POST",
            path=base,
            operation="assess",
            access=ASSESS,
            handler=here.assess,
            request=_ASSESSMENT,
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
            request=_JUDGEMENT,
        ),
    )
