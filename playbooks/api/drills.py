"""Drills over HTTP."""

from __future__ import annotations

from typing import Final

from playbooks.api.schemas import FLAG, FRESH, TEXT, TEXTS, body_of, object_schema, page_schema
from playbooks.service import PlaybooksServices
from playbooks.service.drills.documents import drill_document, entered_plan
from secops.kernel.permissions.playbooks import DRILL_APPROVE, DRILL_PLAN, DRILL_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

DRILL: Final = Schema("Drill", {"type": "object", "required": ["id", "state", "plan_sha256"]})
REPORT: Final = Schema("DrillReport", {"type": "object", "required": ["id", "drill", "findings"]})
PLAN: Final = Schema(
    "PlanDrill",
    object_schema(("title", "alerts"), title=TEXT, scenario=TEXT, alerts=TEXTS, accounts=TEXTS),
)
DECIDE: Final = Schema(
    "DecideDrill",
    object_schema(("grant", "plan_sha256"), grant=FLAG, plan_sha256=TEXT, reason=TEXT),
)
NOTE: Final = Schema("NoteDrill", object_schema(("text",), text=TEXT, finding=FLAG))


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._drills = services.drills

    def list_drills(self, request: Request) -> Response:
        page = self._drills.list_drills(request.caller, wanted_page(request))
        return page_response(page, drill_document)

    def plan_drill(self, request: Request) -> Response:
        body = body_of(request, PLAN)
        plan = entered_plan(
            body["title"], body.get("scenario", ""), body["alerts"], body.get("accounts", ())
        )
        return json_response(drill_document(self._drills.plan_drill(request.caller, plan)), 201)

    def report_drill(self, request: Request) -> Response:
        return json_response(self._drills.report_drill(request.caller, request.args["drill_id"]))

    def approve_drill(self, request: Request) -> Response:
        body = body_of(request, DECIDE)
        drill = self._drills.approve_drill(
            request.caller,
            request.args["drill_id"],
            grant=body["grant"],
            plan_sha256=body["plan_sha256"],
            reason=body.get("reason", ""),
        )
        return json_response(drill_document(drill))

    def start_drill(self, request: Request) -> Response:
        drill = self._drills.start_drill(request.caller, request.args["drill_id"])
        return json_response(drill_document(drill))

    def end_drill(self, request: Request) -> Response:
        drill = self._drills.end_drill(request.caller, request.args["drill_id"])
        return json_response(drill_document(drill))

    def note_drill(self, request: Request) -> Response:
        body = body_of(request, NOTE)
        self._drills.note_drill(
            request.caller,
            request.args["drill_id"],
            body["text"],
            finding=body.get("finding", False),
        )
        return Response(204)


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of drills."""
    here = _Handlers(services)
    root = "/api/v1/playbooks/drills"
    one = f"{root}/<drill_id>"
    rows = (
        ("GET", root, here.list_drills, None, page_schema("Drill"), DRILL_READ),
        ("POST", root, here.plan_drill, PLAN, DRILL, DRILL_PLAN),
        ("GET", f"{one}/report", here.report_drill, None, REPORT, DRILL_READ),
        ("POST", f"{one}/decision", here.approve_drill, DECIDE, DRILL, DRILL_APPROVE),
        ("POST", f"{one}/start", here.start_drill, None, DRILL, DRILL_PLAN),
        ("POST", f"{one}/end", here.end_drill, None, DRILL, DRILL_PLAN),
        ("POST", f"{one}/notes", here.note_drill, NOTE, None, DRILL_PLAN),
    )
    return tuple(
        named_route(
            method,
            path,
            access,
            handler,
            request=request,
            response=response,
            listing=handler == here.list_drills,
            **(FRESH if access == DRILL_APPROVE else {}),
        )
        for method, path, handler, request, response, access in rows
    )
