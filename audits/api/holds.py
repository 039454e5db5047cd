"""Legal holds over HTTP."""

from __future__ import annotations

from typing import Final

from audits.api.bodies import body_of, body_schema
from audits.service.holds import HoldService, NewHold
from audits.service.holds.documents import hold_document
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.permissions.audits import LIFT_HOLD, PLACE_HOLD, READ_HOLDS
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/legal-holds"
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 1_000}
_DAY: Final = {"type": "string", "format": "date"}
_NEW: Final = body_schema(
    "NewLegalHold",
    ("first_day", "last_day", "matter", "reason"),
    first_day=_DAY,
    last_day=_DAY,
    matter=_TEXT,
    reason=_TEXT,
)
_LIFTING: Final = body_schema("LegalHoldLifting", ("reason",), reason=_TEXT)


class _Holds:
    def __init__(self, holds: HoldService) -> None:
        self._holds = holds

    def list_legal_holds(self, request: Request) -> Response:
        page = self._holds.list_legal_holds(request.caller, wanted_page(request))
        return page_response(page, hold_document)

    def place_legal_hold(self, request: Request) -> Response:
        wanted = NewHold(**body_of(request, _NEW))
        return json_response(
            hold_document(self._holds.place_legal_hold(request.caller, wanted)), 201
        )

    def lift_legal_hold(self, request: Request) -> Response:
        reason = body_of(request, _LIFTING)["reason"]
        hold = self._holds.lift_legal_hold(request.caller, request.args["hold_id"], reason)
        return json_response(hold_document(hold))


def hold_routes(holds: HoldService) -> tuple[Route, ...]:
    """Return the routes of legal holds."""
    here = _Holds(holds)
    return (
        named_route("GET", _BASE, READ_HOLDS, here.list_legal_holds, listing=True),
        named_route("POST", _BASE, PLACE_HOLD, here.place_legal_hold, request=_NEW),
        named_route(
            "POST",
            f"{_BASE}/<hold_id>/lifting",
            LIFT_HOLD,
            here.lift_legal_hold,
            request=_LIFTING,
            fresh_seconds=FRESH_SECONDS,
        ),
    )
