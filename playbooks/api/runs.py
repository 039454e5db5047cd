"""Runs of playbooks and their approvals over HTTP."""

from __future__ import annotations

from typing import Final

from playbooks.api.schemas import (
    ANSWER,
    DECISION,
    FRESH,
    PLAN,
    PROLONGATION,
    REASON,
    RUN,
    RUN_REQUEST,
    STEP_DECISION,
    body_of,
    page_schema,
)
from playbooks.service import PlaybooksServices, RunRequest, StepAnswer, StepDecision
from playbooks.service.incidents.documents import (
    approval_document,
    plan_document,
    run_document,
    run_view_document,
)
from secops.kernel.permissions import playbooks as permissions
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

RUNS: Final = "/api/v1/playbooks/runs"


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def list_runs(self, request: Request) -> Response:
        query = request.query
        page = self._services.runs.list_runs(
            request.caller,
            query.get("incident_id"),
            wanted_page(request),
        )
        return page_response(page, run_document)

    def show_run(self, request: Request) -> Response:
        view = self._services.runs.show_run(request.caller, request.args["run_id"])
        return json_response(run_view_document(view))

    def _wanted(self, request: Request) -> RunRequest:
        body = body_of(request, RUN_REQUEST)
        playbook = self._services.playbooks.find(request.caller, body["playbook"])
        return RunRequest(body["incident_id"], playbook, body.get("variables", {}))

    def plan_run(self, request: Request) -> Response:
        plan = self._services.runs.plan_run(request.caller, self._wanted(request))
        return json_response(plan_document(plan))

    def request_run(self, request: Request) -> Response:
        run = self._services.runs.request_run(request.caller, self._wanted(request))
        return json_response(run_document(run), 201)

    def approve_run(self, request: Request) -> Response:
        body = body_of(request, DECISION)
        run = self._services.runs.approve_run(
            request.caller,
            request.args["run_id"],
            grant=body["grant"],
            plan_sha256=body["plan_sha256"],
            reason=body.get("reason", ""),
        )
        return json_response(run_document(run))

    def resolve_step(self, request: Request) -> Response:
        body = body_of(request, ANSWER)
        answer = StepAnswer(
            body["step"], body["outcome"], body.get("note", ""), body.get("values", {})
        )
        run = self._services.runs.resolve_step(request.caller, request.args["run_id"], answer)
        return json_response(run_document(run))

    def approve_step(self, request: Request) -> Response:
        body = body_of(request, STEP_DECISION)
        decision = StepDecision(
            path=body["step"],
            sha256=body["sha256"],
            grant=body["grant"],
            loop=body.get("loop", ""),
            reason=body.get("reason", ""),
        )
        run = self._services.steps.approve_step(request.caller, request.args["run_id"], decision)
        return json_response(run_document(run))

    def prolong_containment(self, request: Request) -> Response:
        body = body_of(request, PROLONGATION)
        run = self._services.steps.prolong_containment(
            request.caller, request.args["run_id"], body["step"], seconds=body["seconds"]
        )
        return json_response(run_document(run))

    def cancel_run(self, request: Request) -> Response:
        reason = body_of(request, REASON)["reason"]
        run = self._services.runs.cancel_run(request.caller, request.args["run_id"], reason=reason)
        return json_response(run_document(run))

    def list_approvals(self, request: Request) -> Response:
        waiting = self._services.runs.pending_approvals(request.caller)
        return json_response({"items": [approval_document(a) for a in waiting], "next": None})


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of runs."""
    handlers = _Handlers(services)
    return (*_reading(handlers), *_changing(handlers))


def _reading(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=RUNS,
            operation="list_runs",
            access=permissions.RUN_READ,
            handler=handlers.list_runs,
            response=page_schema("PlaybookRun"),
            listing=True,
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/approvals",
            operation="list_run_approvals",
            access=permissions.RUN_READ,
            handler=handlers.list_approvals,
            response=page_schema("RunApproval"),
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{RUNS}/<run_id>",
            operation="show_run",
            access=permissions.RUN_READ,
            handler=handlers.show_run,
            response=RUN,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/plans",
            operation="plan_run",
            access=permissions.RUN_REQUEST,
            handler=handlers.plan_run,
            request=RUN_REQUEST,
            response=PLAN,
        ),
    )


def _changing(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=RUNS,
            operation="request_run",
            access=permissions.RUN_REQUEST,
            handler=handlers.request_run,
            request=RUN_REQUEST,
            response=RUN,
        ),
        Route(
            method="POST",
            path=f"{RUNS}/<run_id>/decision",
            operation="approve_run",
            access=permissions.RUN_APPROVE,
            handler=handlers.approve_run,
            request=DECISION,
            response=RUN,
            **FRESH,
        ),
        Route(
            method="POST",
            path=f"{RUNS}/<run_id>/answers",
            operation="resolve_step",
            access=permissions.RUN_RESOLVE,
            handler=handlers.resolve_step,
            request=ANSWER,
            response=RUN,
        ),
        Route(
            method="POST",
            path=f"{RUNS}/<run_id>/step-decisions",
            operation="approve_step",
            access=permissions.RUN_READ,
            handler=handlers.approve_step,
            request=STEP_DECISION,
            response=RUN,
            **FRESH,
        ),
        Route(
            method="POST",
            path=f"{RUNS}/<run_id>/prolongations",
            operation="prolong_containment",
            access=permissions.RUN_RESOLVE,
            handler=handlers.prolong_containment,
            request=PROLONGATION,
            response=RUN,
        ),
        Route(
            method="POST",
            path=f"{RUNS}/<run_id>/cancel",
            operation="cancel_run",
            access=permissions.RUN_CANCEL,
            handler=handlers.cancel_run,
            request=REASON,
            response=RUN,
        ),
    )
