"""Members, tasks, observables, evidence, custody, levels and response times over HTTP."""

from __future__ import annotations

from typing import Final, cast

from playbooks.api.incidents import INCIDENTS
from playbooks.api.schemas import INCIDENT, body_of, instant_of, page_schema
from playbooks.api.work_schemas import (
    ADD_OBSERVABLE,
    ADD_TASK,
    CHANGE_TASK,
    EMPTY,
    OFFER_EVIDENCE,
    PROPOSE_LEVELS,
    REMOVE_MEMBER,
    SET_MEMBER,
)
from playbooks.models.custody import MAX_EVIDENCE_BYTES, EvidenceKind, NewEvidence
from playbooks.service import LevelAnswers, NewObservable, NewTask, PlaybooksServices, TaskChange
from playbooks.service.incidents.work_documents import (
    advice_document,
    chain_document,
    evidence_document,
    member_document,
    observable_document,
    offer_document,
    sighting_document,
    task_document,
    times_document,
)
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    CUSTODY_HOLD,
    INCIDENT_CHANGE,
    INCIDENT_READ,
    INCIDENT_STAFF,
)
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.routes import Route, named_route

_ONE: Final = f"{INCIDENTS}/<incident_id>"
_ITEM: Final = "/api/v1/playbooks/evidence/<evidence_id>"


class _Work:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def set_member(self, request: Request) -> Response:
        body = body_of(request, SET_MEMBER)
        member = self._services.members.set_member(
            request.caller, request.args["incident_id"], body["account"], body["role"]
        )
        return json_response(member_document(member), 201)

    def remove_member(self, request: Request) -> Response:
        account = body_of(request, REMOVE_MEMBER)["account"]
        incident_id = request.args["incident_id"]
        self._services.members.remove_member(request.caller, incident_id, account)
        return json_response({"removed": True})

    def add_task(self, request: Request) -> Response:
        body = dict(body_of(request, ADD_TASK))
        new = NewTask(**{**body, "due_at": instant_of(body, "due_at")})
        task = self._services.tasks.add_task(request.caller, request.args["incident_id"], new)
        return json_response(task_document(task), 201)

    def change_task(self, request: Request) -> Response:
        change = TaskChange(**body_of(request, CHANGE_TASK))
        task = self._services.tasks.change_task(request.caller, request.args["task_id"], change)
        return json_response(task_document(task))

    def add_observable(self, request: Request) -> Response:
        body = body_of(request, ADD_OBSERVABLE)
        new = NewObservable(
            body["kind"],
            body["value"],
            instant_of(body, "first_seen"),
            instant_of(body, "last_seen"),
        )
        seen = self._services.observables.add_observable(
            request.caller, request.args["incident_id"], new
        )
        return json_response(observable_document(seen), 201)

    def find_observable(self, request: Request) -> Response:
        query = request.query
        found = self._services.observables.find_observable(
            request.caller, query.get("kind", ""), query.get("value", "")
        )
        return json_response({"items": [sighting_document(one) for one in found], "next": None})

    def propose_levels(self, request: Request) -> Response:
        answers = LevelAnswers(**body_of(request, PROPOSE_LEVELS))
        return json_response(
            advice_document(self._services.levels.propose_levels(request.caller, answers))
        )

    def measure_response(self, request: Request) -> Response:
        times = self._services.times.measure_response(
            request.caller, instant_of(request.query, "since"), instant_of(request.query, "until")
        )
        return json_response(times_document(times))


class _Evidence:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services

    def keep_evidence(self, request: Request) -> Response:
        query = request.query
        unknown = set(query) - {"name", "kind", "source", "key"}
        if unknown:
            msg = f"{min(unknown)[:60]} is not a parameter"
            raise Invalid(msg)
        new = NewEvidence(
            incident_id=request.args["incident_id"],
            name=query.get("name", ""),
            content=request.body,
            kind=cast("EvidenceKind", query.get("kind", "file")),
            source=query.get("source", ""),
            key=query.get("key", ""),
        )
        item = self._services.locker.keep_evidence(request.caller, new)
        return json_response(evidence_document(item), 201)

    def read_evidence(self, request: Request) -> Response:
        item, content = self._services.locker.read_evidence(
            request.caller, request.args["evidence_id"]
        )
        return file_response(content, "application/octet-stream", f"{item.id}.bin")

    def offer_evidence(self, request: Request) -> Response:
        offer = self._services.custody.offer_evidence(
            request.caller, request.args["evidence_id"], **body_of(request, OFFER_EVIDENCE)
        )
        return json_response(offer_document(offer), 201)

    def accept_evidence(self, request: Request) -> Response:
        item = self._services.custody.accept_evidence(request.caller, request.args["evidence_id"])
        return json_response(evidence_document(item))

    def withdraw_offer(self, request: Request) -> Response:
        self._services.custody.withdraw_offer(request.caller, request.args["evidence_id"])
        return json_response({"withdrawn": True})

    def export_custody(self, request: Request) -> Response:
        return json_response(
            self._services.custody.export_custody(request.caller, request.args["incident_id"])
        )

    def verify_custody(self, request: Request) -> Response:
        verdicts = self._services.custody.verify_custody(
            request.caller, request.args["incident_id"]
        )
        items = {item: chain_document(verdict) for item, verdict in verdicts.items()}
        return json_response(
            {"valid": all(one["valid"] for one in items.values()), "evidence": items}
        )

    def custody_keys(self, request: Request) -> Response:
        keys = self._services.custody.custody_keys(request.caller)
        return file_response(keys.encode(), "application/x-pem-file", "custody-keys.pem")


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of an incident's work."""
    work, evidence = _Work(services), _Evidence(services)
    return (
        *_staff(work),
        *_evidence(evidence),
        named_route("GET", f"{_ONE}/custody", INCIDENT_READ, evidence.export_custody),
        named_route("GET", f"{_ONE}/custody/verdict", INCIDENT_READ, evidence.verify_custody),
        named_route("GET", "/api/v1/playbooks/custody-keys", INCIDENT_READ, evidence.custody_keys),
        named_route(
            "GET", "/api/v1/playbooks/response-times", INCIDENT_READ, work.measure_response
        ),
        Route(
            method="GET",
            path="/api/v1/playbooks/observables",
            operation="find_observable",
            access=INCIDENT_READ,
            handler=work.find_observable,
            response=page_schema("Sighting"),
        ),
        Route(
            method="POST",
            path="/api/v1/playbooks/level-advice",
            operation="propose_levels",
            access=INCIDENT_READ,
            handler=work.propose_levels,
            request=PROPOSE_LEVELS,
        ),
    )


def _staff(work: _Work) -> tuple[Route, ...]:
    rows = (
        (f"{_ONE}/members", INCIDENT_STAFF, work.set_member, SET_MEMBER),
        (f"{_ONE}/members/removal", INCIDENT_STAFF, work.remove_member, REMOVE_MEMBER),
        (f"{_ONE}/tasks", INCIDENT_CHANGE, work.add_task, ADD_TASK),
        (f"{_ONE}/observables", INCIDENT_CHANGE, work.add_observable, ADD_OBSERVABLE),
        ("/api/v1/playbooks/tasks/<task_id>", INCIDENT_CHANGE, work.change_task, CHANGE_TASK),
    )
    return tuple(
        named_route("POST", path, access, handler, request=body)
        for path, access, handler, body in rows
    )


def _evidence(evidence: _Evidence) -> tuple[Route, ...]:
    keeping = Route(
        method="POST",
        path=f"{_ONE}/evidence",
        operation="keep_evidence",
        access=INCIDENT_CHANGE,
        handler=evidence.keep_evidence,
        response=INCIDENT,
        max_body=MAX_EVIDENCE_BYTES,
    )
    hands = (
        ("offer", evidence.offer_evidence, OFFER_EVIDENCE),
        ("acceptance", evidence.accept_evidence, EMPTY),
        ("withdrawal", evidence.withdraw_offer, EMPTY),
    )
    return (
        keeping,
        named_route("GET", f"{_ITEM}/content", INCIDENT_READ, evidence.read_evidence),
        *(
            named_route("POST", f"{_ITEM}/{word}", CUSTODY_HOLD, handler, request=body)
            for word, handler, body in hands
        ),
    )
