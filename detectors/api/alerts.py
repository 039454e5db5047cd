"""``/api/v1/detectors/alerts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from detectors.models.alerts import AlertFilter, AlertStatus
from detectors.models.rules import SEVERITIES
from detectors.service.triage.alerts import AlertService
from detectors.service.triage.presentation import alert_json, shown_alert_json
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema

_STATUSES: Final = ("open", "closed", "superseded", "revised", "suppressed")
_CLOSE: Final = Schema(
    "CloseAlert",
    {
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 1000}},
        "additionalProperties": False,
    },
)


def read_filter(
    *,
    status: str | None,
    severity: str | None,
    since: str | None,
    rule: str | None = None,
    subject: str | None = None,
) -> AlertFilter:
    """Return the filter that query parameters describe; raise ``Invalid``."""
    if status not in (None, *_STATUSES):
        msg = f"status is one of {', '.join(_STATUSES)}"
        raise Invalid(msg)
    if severity not in (None, *SEVERITIES):
        msg = f"severity is one of {', '.join(SEVERITIES)}"
        raise Invalid(msg)
    try:
        instant = from_rfc3339(since) if since is not None else None
    except ValueError as error:
        msg = "since is a time as in RFC 3339, with its zone"
        raise Invalid(msg) from error
    return AlertFilter(
        cast("AlertStatus | None", status),
        severity,
        instant,
        rule,
        subject,
    )


def asked_filter(query: Mapping[str, str]) -> AlertFilter:
    """Return the filter that a query string asks for; raise ``Invalid``."""
    return read_filter(
        status=query.get("status"),
        severity=query.get("severity"),
        since=query.get("since"),
        rule=query.get("rule"),
        subject=query.get("subject"),
    )


@dataclass(frozen=True, slots=True)
class _Handlers:
    alerts: AlertService

    def list_alerts(self, request: Request) -> Response:
        wanted = asked_filter(request.query)
        page = wanted_page(request)
        found = self.alerts.list_alerts(request.caller, wanted, page)
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
