"""Bindings alert → playbook, their answers, and the switch, over HTTP."""

from __future__ import annotations

from typing import Any, Final

from playbooks.api.schemas import (
    DECISION,
    FLAG,
    FRESH,
    REASON,
    RUN,
    TEXT,
    body_of,
    object_schema,
    page_schema,
)
from playbooks.models.bindings import BindingTerms
from playbooks.service import PlaybooksServices
from playbooks.service.bindings import ChangeDecision
from playbooks.service.bindings.documents import (
    answer_document,
    automatic_document,
    binding_document,
    dry_test_document,
    pause_document,
    read_wish,
)
from playbooks.service.incidents.documents import run_document
from secops.kernel.permissions import playbooks as permissions
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema

BINDINGS: Final = "/api/v1/playbooks/bindings"
_ONE: Final = f"{BINDINGS}/<binding_id>"
PAUSE: Final = "/api/v1/playbooks/pause"
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": TEXT}
_PAIRS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": TEXT}
WISH: Final = Schema(
    "BindingWish",
    object_schema(
        ("name", "playbook"),
        name=TEXT,
        playbook=TEXT,
        autonomy={"enum": ["suggest", "approve", "act"]},
        rules=_TEXTS,
        severities=_TEXTS,
        kinds=_TEXTS,
        entities=_PAIRS,
        arguments=_PAIRS,
        cooldown_s={"type": "integer"},
        per_hour={"type": "integer"},
        valid_from=TEXT,
        valid_until=TEXT,
    ),
)
CHANGE: Final = Schema(
    "BindingDecision", object_schema(("sha256", "grant"), sha256=TEXT, grant=FLAG, reason=TEXT)
)
RESUME: Final = Schema("ResumeDecision", object_schema(("grant",), grant=FLAG, reason=TEXT))
BINDING: Final = Schema("Binding", {"type": "object", "required": ["id", "state", "version"]})
SWITCH: Final = Schema("BindingPause", {"type": "object", "required": ["org_id", "paused"]})
DRY_TEST: Final = Schema("BindingTest", {"type": "object", "required": ["looked_at", "matched"]})


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services.autonomy

    def _wanted(self, request: Request) -> BindingTerms:
        playbook, terms = read_wish(request.json_object())
        return self._services.bindings.terms_for(request.caller, playbook, terms)

    def list_bindings(self, request: Request) -> Response:
        page = self._services.bindings.list_bindings(request.caller, wanted_page(request))
        return page_response(page, binding_document)

    def show_binding(self, request: Request) -> Response:
        found = self._services.bindings.show_binding(request.caller, request.args["binding_id"])
        return json_response(binding_document(found))

    def propose_binding(self, request: Request) -> Response:
        terms = self._wanted(request)
        asked = self._services.bindings.propose_binding(request.caller, terms)
        return json_response(binding_document(asked), 201)

    def change_binding(self, request: Request) -> Response:
        terms, name = self._wanted(request), request.args["binding_id"]
        asked = self._services.bindings.propose_binding(request.caller, terms, binding_id=name)
        return json_response(binding_document(asked))

    def withdraw_binding(self, request: Request) -> Response:
        asked = self._services.bindings.withdraw_binding(request.caller, request.args["binding_id"])
        return json_response(binding_document(asked))

    def approve_binding(self, request: Request) -> Response:
        body = body_of(request, CHANGE)
        decision = ChangeDecision(body["sha256"], body["grant"], body.get("reason", ""))
        decided = self._services.bindings.decide_binding(
            request.caller, request.args["binding_id"], decision
        )
        return json_response(binding_document(decided))

    def try_binding(self, request: Request) -> Response:
        tried = self._services.bindings.try_binding(request.caller, self._wanted(request))
        return json_response(dry_test_document(tried))

    def list_answers(self, request: Request) -> Response:
        page = self._services.bindings.list_answers(request.caller, wanted_page(request))
        return page_response(page, answer_document)


class _Switches:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services.autonomy

    def show_pause(self, request: Request) -> Response:
        return json_response(pause_document(self._services.pauses.show_pause(request.caller)))

    def pause_bindings(self, request: Request) -> Response:
        reason = body_of(request, REASON)["reason"]
        paused = self._services.pauses.pause_bindings(request.caller, reason)
        return json_response(pause_document(paused))

    def request_resume(self, request: Request) -> Response:
        reason = body_of(request, REASON)["reason"]
        asked = self._services.pauses.request_resume(request.caller, reason)
        return json_response(pause_document(asked))

    def approve_resume(self, request: Request) -> Response:
        body = body_of(request, RESUME)
        decided = self._services.pauses.decide_resume(
            request.caller, grant=body["grant"], reason=body.get("reason", "")
        )
        return json_response(pause_document(decided))

    def show_automatic_run(self, request: Request) -> Response:
        found = self._services.automatic.show_automatic_run(request.caller, request.args["run_id"])
        return json_response({"automatic": None if found is None else automatic_document(found)})

    def approve_automatic_run(self, request: Request) -> Response:
        body = body_of(request, DECISION)
        run = self._services.automatic.confirm_run(
            request.caller,
            request.args["run_id"],
            grant=body["grant"],
            plan_sha256=body["plan_sha256"],
            reason=body.get("reason", ""),
        )
        return json_response(run_document(run))


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of bindings."""
    handlers = _Handlers(services)
    return (*_reading(handlers), *_changing(handlers), *_switching(_Switches(services)))


def _reading(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=BINDINGS,
            operation="list_bindings",
            access=permissions.BINDING_READ,
            handler=handlers.list_bindings,
            response=page_schema("Binding"),
            listing=True,
        ),
        Route(
            method="GET",
            path=_ONE,
            operation="show_binding",
            access=permissions.BINDING_READ,
            handler=handlers.show_binding,
            response=BINDING,
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/answers",
            operation="list_answers",
            access=permissions.BINDING_READ,
            handler=handlers.list_answers,
            response=page_schema("BindingAnswer"),
            listing=True,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/binding-tests",
            operation="try_binding",
            access=permissions.BINDING_READ,
            handler=handlers.try_binding,
            request=WISH,
            response=DRY_TEST,
        ),
    )


def _changing(handlers: _Handlers) -> tuple[Route, ...]:
    return (
        Route(
            method="POST",
            path=BINDINGS,
            operation="propose_binding",
            access=permissions.BINDING_PROPOSE,
            handler=handlers.propose_binding,
            request=WISH,
            response=BINDING,
        ),
        Route(
            method="PUT",
            path=_ONE,
            operation="change_binding",
            access=permissions.BINDING_PROPOSE,
            handler=handlers.change_binding,
            request=WISH,
            response=BINDING,
        ),
        Route(
            method="DELETE",
            path=_ONE,
            operation="withdraw_binding",
            access=permissions.BINDING_PROPOSE,
            handler=handlers.withdraw_binding,
            response=BINDING,
        ),
        Route(
            method="POST",
            path=f"{_ONE}/decision",
            operation="approve_binding",
            access=permissions.BINDING_APPROVE,
            handler=handlers.approve_binding,
            request=CHANGE,
            response=BINDING,
            **FRESH,
        ),
    )


def _switching(handlers: _Switches) -> tuple[Route, ...]:
    return (
        Route(
            method="GET",
            path=PAUSE,
            operation="show_pause",
            access=permissions.BINDING_READ,
            handler=handlers.show_pause,
            response=SWITCH,
        ),
        Route(
            method="POST",
            path=PAUSE,
            operation="pause_bindings",
            access=permissions.BINDING_PAUSE,
            handler=handlers.pause_bindings,
            request=REASON,
            response=SWITCH,
        ),
        Route(
            method="POST",
            path=f"{PAUSE}/resume",
            operation="request_resume",
            access=permissions.BINDING_PAUSE,
            handler=handlers.request_resume,
            request=REASON,
            response=SWITCH,
        ),
        Route(
            method="POST",
            path=f"{PAUSE}/resume/decision",
            operation="approve_resume",
            access=permissions.BINDING_APPROVE,
            handler=handlers.approve_resume,
            request=RESUME,
            response=SWITCH,
            **FRESH,
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/runs/<run_id>/automatic",
            operation="show_automatic_run",
            access=permissions.RUN_READ,
            handler=handlers.show_automatic_run,
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/runs/<run_id>/confirmation",
            operation="approve_automatic_run",
            access=permissions.RUN_APPROVE,
            handler=handlers.approve_automatic_run,
            request=DECISION,
            response=RUN,
            **FRESH,
        ),
    )
