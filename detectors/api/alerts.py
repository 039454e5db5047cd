"""``/api/v1/detectors/alerts``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.service.triage.alerts import AlertService
from detectors.service.triage.filters import read_filter, read_order
from detectors.service.triage.presentation import alert_json, shown_alert_json
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

_CLOSE: Final = Schema(
    "CloseAlert",
    {
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 1000}},
        "additionalProperties": False,
    },
)


@dataclass(frozen=True, slots=True)
class _Handlers:
    alerts: AlertService

    def list_alerts(self, request: Request) -> Response:
        wanted, order = read_filter(request.query), read_order(request.query)
        page = wanted_page(request)
        found = self.alerts.list_alerts(request.caller, wanted, page, order=order)
        return json_response({"items": [alert_json(a) for a in found.items], "next": found.next})

    def show_alert(self, request: Request) -> Response:
        shown = self.alerts.show_alert(request.caller, request.args["alert_id"])
        return json_response(shown_alert_json(shown))

    def close_alert(self, request: Request) -> Response:
        reason = request.json_object().get("reason")
        if not isinstance(reason, str):
            msg = "reason is a text"
            raise Invalid(msg)
        alert = self.alerts.close_alert(request.caller, request.args["alert_id"], reason)
        return json_response(alert_json(alert))


def alert_routes(alerts: AlertService) -> tuple[Route, ...]:
    """Return the routes of alerts."""
    handlers = _Handlers(alerts)
    root = "/api/v1/detectors/alerts"
    return (
        Route(
            method="GET",
            path=root,
            operation="list_alerts",
            access=ALERT_READ,
            handler=handlers.list_alerts,
            credential="either",
            listing=True,
        ),
        Route(
            method="GET",
            path=f"{root}/<alert_id>",
            operation="show_alert",
            access=ALERT_READ,
            handler=handlers.show_alert,
            credential="either",
        ),
        Route(
            method="POST",
            path=f"{root}/<alert_id>/close",
            operation="close_alert",
            access=ALERT_CLOSE,
            handler=handlers.close_alert,
            credential="either",
            request=_CLOSE,
        ),
    )
