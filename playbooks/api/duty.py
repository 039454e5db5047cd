"""Duty rosters, shifts, swaps and calls over HTTP."""

from __future__ import annotations

from typing import Any, Final

from playbooks.api.schemas import (
    COUNT,
    FLAG,
    TEXT,
    TEXTS,
    body_of,
    needed_instant,
    object_schema,
    page_schema,
)
from playbooks.models.duty import PLACES
from playbooks.service import PlaybooksServices
from playbooks.service.duty import NewShift, RosterDraft
from playbooks.service.duty.documents import (
    duty_document,
    escalation_document,
    roster_document,
    roster_draft,
    shift_document,
    swap_document,
)
from secops.kernel.permissions.playbooks import DUTY_READ, DUTY_SERVE, ROSTER_MANAGE
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_ROSTER_FIELDS: Final = {"name": TEXT, "members": TEXTS, "leads": TEXTS, "policy": TEXTS}
ROSTER: Final = Schema("Roster", {"type": "object", "required": ["id", "members"]})
DUTY: Final = Schema("Duty", {"type": "object", "required": ["roster", "on_duty", "shifts"]})
SHIFT: Final = Schema("Shift", {"type": "object", "required": ["id", "starts_at", "ends_at"]})
SWAP: Final = Schema("Swap", {"type": "object", "required": ["id", "state"]})
ESCALATION: Final = Schema("Escalation", {"type": "object", "required": ["id", "state"]})
NEW_ROSTER: Final = Schema("NewRoster", object_schema(("name", "members"), **_ROSTER_FIELDS))
CHANGE_ROSTER: Final = Schema(
    "ChangeRoster",
    object_schema(
        ("name", "members", "version"),
        version=COUNT,
        **_ROSTER_FIELDS,
    ),
)
NEW_SHIFT: Final = Schema(
    "NewShift",
    object_schema(
        ("starts_at", "ends_at", "primary"),
        starts_at=TEXT,
        ends_at=TEXT,
        primary=TEXT,
        deputy=TEXT,
    ),
)
ASK_SWAP: Final = Schema(
    "AskSwap", object_schema(("place", "other"), place={"enum": list(PLACES)}, other=TEXT)
)
ANSWER_SWAP: Final = Schema("AnswerSwap", object_schema(("agree",), agree=FLAG))


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._duty = services.duty

    def who_is_on_duty(self, request: Request) -> Response:
        found = self._duty.rosters.who_is_on_duty(request.caller)
        return json_response({"items": [duty_document(one) for one in found], "next": None})

    def show_roster(self, request: Request) -> Response:
        view = self._duty.rosters.show_roster(request.caller, request.args["roster_id"])
        return json_response(duty_document(view))

    def create_roster(self, request: Request) -> Response:
        draft = _draft(body_of(request, NEW_ROSTER))
        made = self._duty.rosters.create_roster(request.caller, draft)
        return json_response(roster_document(made), 201)

    def change_roster(self, request: Request) -> Response:
        body = body_of(request, CHANGE_ROSTER)
        roster_id = request.args["roster_id"]
        changed = self._duty.rosters.change_roster(
            request.caller, roster_id, _draft(body), version=body["version"]
        )
        return json_response(roster_document(changed))

    def add_shift(self, request: Request) -> Response:
        body = body_of(request, NEW_SHIFT)
        new = NewShift(
            needed_instant(body, "starts_at"),
            needed_instant(body, "ends_at"),
            body["primary"],
            body.get("deputy", ""),
        )
        made = self._duty.shifts.add_shift(request.caller, request.args["roster_id"], new)
        return json_response(shift_document(made), 201)

    def remove_shift(self, request: Request) -> Response:
        self._duty.shifts.remove_shift(request.caller, request.args["shift_id"])
        return Response(204)

    def ask_swap(self, request: Request) -> Response:
        body = body_of(request, ASK_SWAP)
        swap = self._duty.shifts.ask_swap(
            request.caller, request.args["shift_id"], body["place"], body["other"]
        )
        return json_response(swap_document(swap), 201)

    def answer_swap(self, request: Request) -> Response:
        agree = body_of(request, ANSWER_SWAP)["agree"]
        swap = self._duty.shifts.answer_swap(request.caller, request.args["swap_id"], agree=agree)
        return json_response(swap_document(swap))

    def list_escalations(self, request: Request) -> Response:
        page = self._duty.escalations.list_escalations(request.caller, wanted_page(request))
        return page_response(page, escalation_document)

    def acknowledge_escalation(self, request: Request) -> Response:
        found = self._duty.escalations.acknowledge_escalation(
            request.caller, request.args["escalation_id"]
        )
        return json_response(escalation_document(found))


def _draft(body: Any) -> RosterDraft:
    return roster_draft(
        body["name"], body["members"], body.get("leads", ()), body.get("policy", ())
    )


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of duty."""
    here = _Handlers(services)
    root = "/api/v1/playbooks"
    rosters, one = f"{root}/rosters", f"{root}/rosters/<roster_id>"
    rows = (
        ("GET", rosters, here.who_is_on_duty, None, page_schema("Duty"), DUTY_READ),
        ("POST", rosters, here.create_roster, NEW_ROSTER, ROSTER, ROSTER_MANAGE),
        ("GET", one, here.show_roster, None, DUTY, DUTY_READ),
        ("PUT", one, here.change_roster, CHANGE_ROSTER, ROSTER, ROSTER_MANAGE),
        ("POST", f"{one}/shifts", here.add_shift, NEW_SHIFT, SHIFT, ROSTER_MANAGE),
        ("DELETE", f"{root}/shifts/<shift_id>", here.remove_shift, None, None, ROSTER_MANAGE),
        ("POST", f"{root}/shifts/<shift_id>/swaps", here.ask_swap, ASK_SWAP, SWAP, DUTY_SERVE),
        ("POST", f"{root}/swaps/<swap_id>", here.answer_swap, ANSWER_SWAP, SWAP, DUTY_SERVE),
        (
            "GET",
            f"{root}/escalations",
            here.list_escalations,
            None,
            page_schema("Escalation"),
            DUTY_READ,
        ),
        (
            "POST",
            f"{root}/escalations/<escalation_id>/acknowledge",
            here.acknowledge_escalation,
            None,
            ESCALATION,
            DUTY_SERVE,
        ),
    )
    return tuple(
        named_route(
            method,
            path,
            access,
            handler,
            request=request,
            response=response,
            listing=handler == here.list_escalations,
        )
        for method, path, handler, request, response, access in rows
    )
