"""HTTP of what persons answer beyond an item's status: cases, triggers, high risks, D/A/K."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.api.bodies import COUNT, FLAG, TEXT, TEXTS, body_of, body_schema
from audits.models.evidence import WHOLE
from audits.models.systems import THIS_INSTANCE
from audits.service.assessments.answers import AnswerService, Said, UnitAnswer
from audits.service.assessments.documents import answer_view
from audits.service.assessments.entering import DAYS
from secops.kernel.permissions.audits import ENTER_JUDGEMENT, READ_ASSESSMENTS
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_GENERAL: Final = "gbt22239"
_CRYPTO: Final = "gbt39786"
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_SAID: Final[dict[str, dict[str, Any]]] = {
    "standard": TEXT,
    "system": TEXT,
    "person": TEXT,
    "reason": TEXT,
    "evidence": TEXTS,
    "days": COUNT,
}
_WHO: Final = ("person", "reason")
_CASE_TICKS: Final = ("condition", "triggered", "never", "mitigated")
_MAJOR_TICKS: Final = ("relevant", "severe", "frequent", "rectified")
_CASE: Final = body_schema(
    "CaseAnswer", ("case", *_WHO), case=TEXT, **dict.fromkeys(_CASE_TICKS, FLAG), **_SAID
)
_MAJOR: Final = body_schema(
    "MajorTicks",
    _WHO,
    trigger=TEXT,
    items=TEXTS,
    **dict.fromkeys(_MAJOR_TICKS, FLAG),
    **_SAID,
)
_RISK: Final = body_schema("HighRiskSet", ("item", *_WHO), item=TEXT, high=FLAG, **_SAID)
_UNIT: Final = body_schema(
    "UnitAnswer",
    ("unit", "effective", "approved", "managed", *_WHO),
    unit=TEXT,
    object=TEXT,
    effective=FLAG,
    approved=FLAG,
    managed=FLAG,
    bits=_COUNT,
    module_level=_COUNT,
    compensated_by=TEXT,
    **_SAID,
)


@dataclass(frozen=True, slots=True)
class _Answers:
    answers: AnswerService

    def answer_case(self, request: Request) -> Response:
        body = body_of(request, _CASE)
        ticks = {name: body.get(name) for name in _CASE_TICKS}
        answer = self.answers.answer_case(
            request.caller, body.get("standard", _GENERAL), body["case"], ticks, _said(body)
        )
        return json_response(answer_view(answer), 201)

    def tick_major(self, request: Request) -> Response:
        body = body_of(request, _MAJOR)
        ticks = {name: body.get(name) for name in _MAJOR_TICKS}
        trigger = body.get("items") or body.get("trigger", "")
        answer = self.answers.tick_major(
            request.caller, body.get("standard", _GENERAL), trigger, ticks, _said(body)
        )
        return json_response(answer_view(answer), 201)

    def set_high_risk(self, request: Request) -> Response:
        body = body_of(request, _RISK)
        answer = self.answers.set_high_risk(
            request.caller,
            body.get("standard", _GENERAL),
            body["item"],
            _said(body),
            high=body.get("high", True),
        )
        return json_response(answer_view(answer), 201)

    def judge_unit(self, request: Request) -> Response:
        body = body_of(request, _UNIT)
        unit = UnitAnswer(
            unit_id=body["unit"],
            effective=body["effective"],
            approved=body["approved"],
            managed=body["managed"],
            bits=body.get("bits", 0),
            module_level=body.get("module_level", 0),
            compensated_by=body.get("compensated_by", ""),
            object_id=body.get("object", WHOLE),
        )
        answer = self.answers.judge_unit(
            request.caller, body.get("standard", _CRYPTO), unit, _said(body)
        )
        return json_response(answer_view(answer), 201)

    def list_person_answers(self, request: Request) -> Response:
        query = request.query
        page = self.answers.list_person_answers(
            request.caller,
            query.get("standard", _GENERAL),
            wanted_page(request),
            query.get("system", THIS_INSTANCE),
        )
        return page_response(page, answer_view)


def _said(body: Mapping[str, Any]) -> Said:
    return Said(
        person=body["person"],
        reason=body["reason"],
        evidence=tuple(body.get("evidence", ())),
        days=body.get("days", DAYS),
        system_id=body.get("system", THIS_INSTANCE),
    )


def answer_routes(answers: AnswerService) -> Sequence[Route]:
    """Return the routes of answers."""
    here, base = _Answers(answers), "/api/v1/audits/answers"
    enter = ENTER_JUDGEMENT
    return (
        named_route("POST", f"{base}/cases", enter, here.answer_case, request=_CASE),
        named_route("POST", f"{base}/majors", enter, here.tick_major, request=_MAJOR),
        named_route("POST", f"{base}/high-risks", enter, here.set_high_risk, request=_RISK),
        named_route("POST", f"{base}/units", enter, here.judge_unit, request=_UNIT),
        named_route("GET", base, READ_ASSESSMENTS, here.list_person_answers, listing=True),
    )
