"""``/api/v1/detectors/bulk-actions``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from detectors.api.alerts import read_filter
from detectors.api.bodies import text_of
from detectors.models.bulk_actions import BulkResult
from detectors.service.triage.bulk_actions import BulkActionService
from detectors.service.triage.bulk_presentation import bulk_action_json, bulk_item_json
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

_FILTERS: Final = ("severity", "since", "rule", "subject")
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 1000}
_PREVIEW: Final = Schema(
    "PreviewBulkClose",
    {
        "type": "object",
        "required": ["reason"],
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": 1000},
            **dict.fromkeys(_FILTERS, _TEXT),
        },
        "additionalProperties": False,
    },
)
_ORDER: Final = Schema(
    "OrderBulkAction",
    {
        "type": "object",
        "required": ["token"],
        "properties": {"token": {"type": "string", "minLength": 64, "maxLength": 64}},
        "additionalProperties": False,
    },
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


@dataclass(frozen=True, slots=True)
class _Handlers:
    bulk_actions: BulkActionService

    def preview_bulk_close(self, request: Request) -> Response:
        body = request.json_object()
        said = {name: text_of(body, name) for name in _FILTERS if name in body}
        wanted = read_filter(
            status="open",
            severity=said.get("severity"),
            since=said.get("since"),
            rule=said.get("rule"),
            subject=said.get("subject"),
        )
        reason = text_of(body, "reason")
        action = self.bulk_actions.preview_bulk_close(request.caller, wanted, reason)
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
        items = [bulk_action_json(action) for action in page.items]
        return json_response({"items": items, "next": page.next})

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
    root = "/api/v1/detectors/bulk-actions"
    one = f"{root}/<action_id>"

    def read(path: str, handler: Any, *, listing: bool) -> Route:
        return Route(
            method="GET",
            path=path,
            operation=handler.__name__,
            access=ALERT_READ,
            handler=handler,
            credential="either",
            listing=listing,
        )

    def write(path: str, handler: Any, body: Schema | None = None) -> Route:
        return Route(
            method="POST",
            path=path,
            operation=handler.__name__,
            access=ALERT_CLOSE,
            handler=handler,
            credential="either",
            request=body,
        )

    return (
        read(root, here.list_bulk_actions, listing=True),
        write(root, here.preview_bulk_close, _PREVIEW),
        read(one, here.show_bulk_action, listing=False),
        read(f"{one}/items", here.list_bulk_items, listing=True),
        write(f"{one}/order", here.order_bulk_action, _ORDER),
        write(f"{one}/cancel", here.cancel_bulk_action),
        write(f"{one}/undo", here.undo_bulk_action),
    )
