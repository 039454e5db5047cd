"""HTTP of rectification and waivers."""

from __future__ import annotations

from typing import Final

from audits.api.bodies import (
    COUNT,
    FLAG,
    FRESH,
    TEXT,
    TEXTS,
    body_of,
    body_schema,
    content_of,
    instant_of,
)
from audits.models.rectification import TaskFilter
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification import RectificationServices
from audits.service.rectification.documents import (
    history_document,
    made_document,
    recheck_document,
    task_document,
    waiver_document,
)
from audits.service.rectification.tasks import Assignment, NewTasks, Proof
from audits.service.rectification.waivers import NewWaiver
from secops.kernel.permissions.audits import (
    APPROVE_WAIVER,
    CLOSE_RECTIFICATION,
    MANAGE_RECTIFICATION,
    PROVE_RECTIFICATION,
    READ_RECTIFICATION,
    RECHECK_RECTIFICATION,
    REQUEST_WAIVER,
)
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/rectification"
_TASK: Final = f"{_BASE}/tasks/<task_id>"
_WAIVERS: Final = "/api/v1/audits/waivers"
_WAIVER: Final = f"{_WAIVERS}/<waiver_id>"
_MAX_PROOF: Final = 28 << 20
_TASKS: Final = body_schema(
    "RectificationWish", ("assessment", "owner"), assessment=TEXT, owner=TEXT, items=TEXTS, due=TEXT
)
_SCAN_TASKS: Final = body_schema(
    "ScanRectificationWish", ("owner",), owner=TEXT, system=TEXT, findings=TEXTS
)
_ASSIGNMENT: Final = body_schema(
    "TaskAssignment", ("version", "reason"), version=COUNT, reason=TEXT, owner=TEXT, due=TEXT
)
_PROOF: Final = body_schema(
    "TaskProof", ("version", "text"), version=COUNT, text=TEXT, filename=TEXT, content=TEXT
)
_REASONED: Final = body_schema("TaskReason", ("version", "reason"), version=COUNT, reason=TEXT)
_WAIVER_WISH: Final = body_schema(
    "WaiverWish",
    ("item", "reason", "expires"),
    item=TEXT,
    reason=TEXT,
    expires=TEXT,
    standard=TEXT,
    system=TEXT,
    object=TEXT,
)
_DECISION: Final = body_schema(
    "WaiverDecision", ("sha256", "grant"), sha256=TEXT, grant=FLAG, reason=TEXT
)


class _Tasks:
    def __init__(self, services: RectificationServices) -> None:
        self._tasks, self._rechecks = services.tasks, services.rechecks
        self._clock = services.tasks.desk.parts.clock

    def make_tasks(self, request: Request) -> Response:
        body = body_of(request, _TASKS)
        due = instant_of(body["due"], "due") if body.get("due") else None
        new = NewTasks(body["owner"], tuple(body.get("items", ())), due)
        made = self._tasks.make_tasks(request.caller, body["assessment"], new)
        return json_response(made_document(made, self._clock.now()), 201)

    def make_scan_tasks(self, request: Request) -> Response:
        body = body_of(request, _SCAN_TASKS)
        made = self._tasks.make_scan_tasks(
            request.caller,
            body.get("system", THIS_INSTANCE),
            body["owner"],
            body.get("findings", ()),
        )
        return json_response(made_document(made, self._clock.now()), 201)

    def list_tasks(self, request: Request) -> Response:
        query = request.query
        wanted = TaskFilter(
            query.get("system", ""),
            query.get("state", ""),
            query.get("owner", ""),
            query.get("item", ""),
        )
        page = self._tasks.list_tasks(request.caller, wanted, wanted_page(request))
        now = self._clock.now()
        return page_response(page, lambda task: task_document(task, now))

    def show_task(self, request: Request) -> Response:
        task, history = self._tasks.show_task(request.caller, request.args["task_id"])
        shown = task_document(task, self._clock.now())
        return json_response({**shown, "history": history_document(history)})

    def assign_task(self, request: Request) -> Response:
        body = body_of(request, _ASSIGNMENT)
        due = instant_of(body["due"], "due") if body.get("due") else None
        wish = Assignment(body["version"], body["reason"], body.get("owner", ""), due)
        task = self._tasks.assign_task(request.caller, request.args["task_id"], wish)
        return json_response(task_document(task, self._clock.now()))

    def give_proof(self, request: Request) -> Response:
        body = body_of(request, _PROOF)
        content = content_of(body.get("content", ""))
        proof = Proof(body["version"], body["text"], body.get("filename", ""), content)
        task = self._tasks.give_proof(request.caller, request.args["task_id"], proof)
        return json_response(task_document(task, self._clock.now()))

    def proof_file(self, request: Request) -> Response:
        args = request.args
        _, content = self._tasks.proof_file(request.caller, args["task_id"], args["sha256"])
        return file_response(content, "application/octet-stream", f"{args['sha256']}.bin")

    def recheck_task(self, request: Request) -> Response:
        seen = self._rechecks.recheck_task(request.caller, request.args["task_id"])
        return json_response(recheck_document(seen, self._clock.now()))

    def close_task(self, request: Request) -> Response:
        body = body_of(request, _REASONED)
        task = self._rechecks.close_task(request.caller, request.args["task_id"], **body)
        return json_response(task_document(task, self._clock.now()))

    def reopen_task(self, request: Request) -> Response:
        body = body_of(request, _REASONED)
        task = self._rechecks.reopen_task(request.caller, request.args["task_id"], **body)
        return json_response(task_document(task, self._clock.now()))


class _Waivers:
    def __init__(self, services: RectificationServices) -> None:
        self._waivers = services.waivers
        self._clock = services.waivers.desk.parts.clock

    def request_waiver(self, request: Request) -> Response:
        body = body_of(request, _WAIVER_WISH)
        new = NewWaiver(
            item_id=body["item"],
            reason=body["reason"],
            expires_at=instant_of(body["expires"], "expires"),
            standard=body.get("standard", "gbt22239"),
            system_id=body.get("system", THIS_INSTANCE),
            object_id=body.get("object", ""),
        )
        waiver = self._waivers.request_waiver(request.caller, new)
        return json_response(waiver_document(waiver, self._clock.now()), 201)

    def decide_waiver(self, request: Request) -> Response:
        body = body_of(request, _DECISION)
        waiver = self._waivers.decide_waiver(
            request.caller,
            request.args["waiver_id"],
            body["sha256"],
            grant=body["grant"],
            reason=body.get("reason", ""),
        )
        return json_response(waiver_document(waiver, self._clock.now()))

    def revoke_waiver(self, request: Request) -> Response:
        body = body_of(request, _REASONED)
        waiver = self._waivers.revoke_waiver(request.caller, request.args["waiver_id"], **body)
        return json_response(waiver_document(waiver, self._clock.now()))

    def list_waivers(self, request: Request) -> Response:
        system_id, now = request.query.get("system", ""), self._clock.now()
        page = self._waivers.list_waivers(request.caller, wanted_page(request), system_id)
        return page_response(page, lambda waiver: waiver_document(waiver, now))

    def show_waiver(self, request: Request) -> Response:
        waiver, history = self._waivers.show_waiver(request.caller, request.args["waiver_id"])
        shown = waiver_document(waiver, self._clock.now())
        return json_response({**shown, "history": history_document(history)})


def rectification_routes(services: RectificationServices) -> tuple[Route, ...]:
    """Return the routes of rectification and waivers."""
    here, waivers = _Tasks(services), _Waivers(services)
    manage, read = MANAGE_RECTIFICATION, READ_RECTIFICATION
    tasks = f"{_BASE}/tasks"
    return (
        named_route("GET", tasks, read, here.list_tasks, listing=True),
        named_route("POST", tasks, manage, here.make_tasks, request=_TASKS),
        named_route(
            "POST", f"{_BASE}/scan-tasks", manage, here.make_scan_tasks, request=_SCAN_TASKS
        ),
        named_route("GET", _TASK, read, here.show_task),
        named_route("POST", f"{_TASK}/assignment", manage, here.assign_task, request=_ASSIGNMENT),
        named_route(
            "POST",
            f"{_TASK}/proof",
            PROVE_RECTIFICATION,
            here.give_proof,
            request=_PROOF,
            max_body=_MAX_PROOF,
        ),
        named_route("GET", f"{_TASK}/proof/<sha256>", read, here.proof_file),
        named_route("POST", f"{_TASK}/recheck", RECHECK_RECTIFICATION, here.recheck_task),
        named_route(
            "POST", f"{_TASK}/closing", CLOSE_RECTIFICATION, here.close_task, request=_REASONED
        ),
        named_route(
            "POST",
            f"{_TASK}/reopening",
            RECHECK_RECTIFICATION,
            here.reopen_task,
            request=_REASONED,
        ),
        named_route("GET", _WAIVERS, read, waivers.list_waivers, listing=True),
        named_route("POST", _WAIVERS, REQUEST_WAIVER, waivers.request_waiver, request=_WAIVER_WISH),
        named_route("GET", _WAIVER, read, waivers.show_waiver),
        named_route(
            "POST",
            f"{_WAIVER}/decision",
            APPROVE_WAIVER,
            waivers.decide_waiver,
            request=_DECISION,
            **FRESH,
        ),
        named_route(
            "POST",
            f"{_WAIVER}/revocation",
            REQUEST_WAIVER,
            waivers.revoke_waiver,
            request=_REASONED,
        ),
    )
