"""Emergency plans over HTTP."""

from __future__ import annotations

from typing import Final

from playbooks.api.incidents import INCIDENTS
from playbooks.api.schemas import FRESH, body_of, instant_of, page_schema
from playbooks.api.work_schemas import (
    ADOPT_PLAN,
    APPROVE_PLAN,
    EMERGENCY_PLAN,
    WITHDRAW_PLAN,
    WRITE_PLAN,
)
from playbooks.models.emergency_plans import PlanTask
from playbooks.service import NewPlan, PlanDecision, PlaybooksServices
from playbooks.service.incidents.work_documents import (
    emergency_plan_document,
    plan_summary,
    task_document,
)
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    EMERGENCY_PLAN_APPROVE,
    EMERGENCY_PLAN_READ,
    EMERGENCY_PLAN_WRITE,
    INCIDENT_CHANGE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_PLANS: Final = "/api/v1/playbooks/emergency-plans"
_ONE: Final = f"{_PLANS}/<plan_id>"
_VERSION_DIGITS: Final = 6


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._plans = services.emergency_plans

    def write_emergency_plan(self, request: Request) -> Response:
        body = dict(body_of(request, WRITE_PLAN))
        plan_id = body.pop("plan_id", None)
        new = NewPlan(
            title=body["title"],
            content=body["content"],
            classes=tuple(body["classes"]),
            review_at=instant_of(body, "review_at") or 0,
            format=body.get("format", "markdown"),
            playbooks=tuple(body.get("playbooks", ())),
            tasks=tuple(PlanTask(**task) for task in body.get("tasks", ())),
        )
        plan = self._plans.write_emergency_plan(request.caller, new, plan_id)
        return json_response(emergency_plan_document(plan), 201)

    def approve_emergency_plan(self, request: Request) -> Response:
        decision = PlanDecision(**body_of(request, APPROVE_PLAN))
        plan = self._plans.approve_emergency_plan(request.caller, request.args["plan_id"], decision)
        return json_response(emergency_plan_document(plan))

    def withdraw_emergency_plan(self, request: Request) -> Response:
        version = body_of(request, WITHDRAW_PLAN)["version"]
        plan = self._plans.withdraw_emergency_plan(request.caller, request.args["plan_id"], version)
        return json_response(emergency_plan_document(plan))

    def list_emergency_plans(self, request: Request) -> Response:
        page = self._plans.list_emergency_plans(request.caller, wanted_page(request))
        return page_response(page, plan_summary)

    def show_emergency_plan(self, request: Request) -> Response:
        wanted = request.query.get("version", "")
        if wanted and not (
            wanted.isascii() and wanted.isdigit() and len(wanted) <= _VERSION_DIGITS
        ):
            msg = "version is a number"
            raise Invalid(msg)
        plan = self._plans.show_emergency_plan(
            request.caller, request.args["plan_id"], int(wanted) if wanted else None
        )
        return json_response(emergency_plan_document(plan))

    def adopt_emergency_plan(self, request: Request) -> Response:
        tasks = self._plans.adopt_emergency_plan(
            request.caller, request.args["incident_id"], body_of(request, ADOPT_PLAN)["plan_id"]
        )
        return json_response({"tasks": [task_document(task) for task in tasks]}, 201)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of emergency plans."""
    handlers = _Handlers(services)
    return (
        Route(
            method="GET",
            path=_PLANS,
            operation="list_emergency_plans",
            access=EMERGENCY_PLAN_READ,
            handler=handlers.list_emergency_plans,
            response=page_schema("EmergencyPlan"),
            listing=True,
        ),
        Route(
            method="POST",
            path=_PLANS,
            operation="write_emergency_plan",
            access=EMERGENCY_PLAN_WRITE,
            handler=handlers.write_emergency_plan,
            request=WRITE_PLAN,
            response=EMERGENCY_PLAN,
        ),
        Route(
            method="GET",
            path=_ONE,
            operation="show_emergency_plan",
            access=EMERGENCY_PLAN_READ,
            handler=handlers.show_emergency_plan,
            response=EMERGENCY_PLAN,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/approval",
            operation="approve_emergency_plan",
            access=EMERGENCY_PLAN_APPROVE,
            handler=handlers.approve_emergency_plan,
            request=APPROVE_PLAN,
            response=EMERGENCY_PLAN,
            **FRESH,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/withdrawal",
            operation="withdraw_emergency_plan",
            access=EMERGENCY_PLAN_APPROVE,
            handler=handlers.withdraw_emergency_plan,
            request=WITHDRAW_PLAN,
            response=EMERGENCY_PLAN,
        ),
        Route(
            method="POST",
            path=f"{INCIDENTS}/<incident_id>/emergency-plans",
            operation="adopt_emergency_plan",
            access=INCIDENT_CHANGE,
            handler=handlers.adopt_emergency_plan,
            request=ADOPT_PLAN,
        ),
    )
