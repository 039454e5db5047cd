"""``/api/v1/detectors/bulk-actions``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from detectors.api.bodies import body_schema, text_of
from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import BulkResult
from detectors.service.triage.bulk_actions import BulkActionService
from detectors.service.triage.bulk_presentation import bulk_action_json, bulk_item_json
from detectors.service.triage.filters import WORDS, read_filter
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_ROOT: Final = "/api/v1/detectors"
_FILTERS: Final = tuple(word for word in WORDS if word != "status")
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 500}


_VIEW: Final = dict.fromkeys(_FILTERS, _TEXT)
_CLOSE: Final = body_schema(
    "PreviewBulkClose", {"reason": {"type": "string", "minLength": 1, "maxLength": 1000}}, **_VIEW
)
_ACKNOWLEDGE: Final = body_schema("PreviewBulkAcknowledge", {}, **_VIEW)
_ASSIGN: Final = body_schema(
    "PreviewBulkAssign", {"to": {"type": "string", "maxLength": 200}}, **_VIEW
)
_ORDER: Final = body_schema(
    "OrderBulkAction", {"token": {"type": "string", "minLength": 64, "maxLength": 64}}
)


def read_result(text: str | None) -> BulkResult | None:
    """Return which items are asked for; raise ``Invalid``."""
    if text == "done":
        return "done"
    if text == "changed":
        return "changed"
    if text is None:
        return None
    msg = "result is done or changed"
    raise Invalid(msg)


def _wanted(body: Mapping[str, Any]) -> AlertFilter:
    """Return the open alerts that a body's words describe; raise ``Invalid``."""
    said = {name: text_of(body, name) for name in _FILTERS if name in body}
    return read_filter({**said, "status": "open"})


@dataclass(frozen=True, slots=True)
class _Handlers:
    bulk_actions: BulkActionService

    def preview_bulk_close(self, request: Request) -> Response:
        body = request.json_object()
        action = self.bulk_actions.preview_bulk_close(
            request.caller, _wanted(body), text_of(body, "reason")
        )
        return json_response(bulk_action_json(action), 201)

    def preview_bulk_acknowledge(self, request: Request) -> Response:
        wanted = _wanted(request.json_object())
        action = self.bulk_actions.preview_bulk_acknowledge(request.caller, wanted)
        return json_response(bulk_action_json(action), 201)

    def preview_bulk_assign(self, request: Request) -> Response:
        body = request.json_object()
        action = self.bulk_actions.preview_bulk_assign(
            request.caller, _wanted(body), text_of(body, "to")
        )
        return json_response(bulk_action_json(action), 201)

    def preview_bulk_undo(self, request: Request) -> Response:
        action_id = request.args["action_id"]
        action = self.bulk_actions.preview_bulk_undo(request.caller, action_id)
        return json_response(bulk_action_json(action), 201)

    def order_bulk_action(self, request: Request) -> Response:
        token = text_of(request.json_object(), "token")
        action_id = request.args["action_id"]
        action = self.bulk_actions.order_bulk_action(request.caller, action_id, token)
        return json_response(bulk_action_json(action), 202)

    def cancel_bulk_action(self, request: Request) -> Response:
        action_id = request.args["action_id"]
        action = self.bulk_actions.cancel_bulk_action(request.caller, action_id)
        return json_response(bulk_action_json(action))

    def undo_bulk_action(self, request: Request) -> Response:
        action_id = request.args["action_id"]
        action = self.bulk_actions.undo_bulk_action(request.caller, action_id)
        return json_response(bulk_action_json(action), 202)

    def show_bulk_action(self, request: Request) -> Response:
        action_id = request.args["action_id"]
        action = self.bulk_actions.show_bulk_action(request.caller, action_id)
        return json_response(bulk_action_json(action))

    def list_bulk_actions(self, request: Request) -> Response:
        page = self.bulk_actions.list_bulk_actions(request.caller, wanted_page(request))
        return page_response(page, bulk_action_json)

    def list_bulk_items(self, request: Request) -> Response:
        result = read_result(request.query.get("result"))
        action_id, page = request.args["action_id"], wanted_page(request)
        found = self.bulk_actions.list_bulk_items(request.caller, action_id, result, page)
        return json_response(
            {"items": [bulk_item_json(item) for item in found.items], "next": found.next}
        )


def bulk_action_routes(bulk_actions: BulkActionService) -> tuple[Route, ...]:
    """Return the routes of bulk actions."""
    here = _Handlers(bulk_actions)
    root = f"{_ROOT}/bulk-actions"
    one = f"{root}/<action_id>"

    def read(path: str, handler: Any, *, listing: bool) -> Route:
        return named_route("GET", path, ALERT_READ, handler, credential="either", listing=listing)

    def write(path: str, handler: Any, body: Schema | None = None) -> Route:
        return named_route("POST", path, ALERT_CLOSE, handler, credential="either", request=body)

    return (
        read(root, here.list_bulk_actions, listing=True),
        write(root, here.preview_bulk_close, _CLOSE),
        write(f"{_ROOT}/bulk-acknowledgements", here.preview_bulk_acknowledge, _ACKNOWLEDGE),
        write(f"{_ROOT}/bulk-assignments", here.preview_bulk_assign, _ASSIGN),
        read(one, here.show_bulk_action, listing=False),
        read(f"{one}/items", here.list_bulk_items, listing=True),
        write(f"{one}/order", here.order_bulk_action, _ORDER),
        write(f"{one}/cancel", here.cancel_bulk_action),
        write(f"{one}/undo", here.undo_bulk_action),
        write(f"{one}/undo-preview", here.preview_bulk_undo),
    )
