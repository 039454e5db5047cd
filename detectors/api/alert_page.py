"""``/api/v1/detectors/alerts/{id}/…``: told whole, asked again; what an exception would hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.api.bodies import body_schema, fields_of, text_of
from detectors.service.rules.exception_previews import ExceptionPreviews
from detectors.service.triage.alert_page import AlertPageService
from detectors.service.triage.alert_page_presentation import (
    explanation_json,
    preview_json,
    replay_json,
)
from detectors.service.triage.filters import read_filter
from detectors.service.triage.replaying import ReplayService
from secops.kernel.permissions.detectors import ALERT_READ, EXCEPTION_REQUEST, RULE_READ
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route

_ALERT: Final = "/api/v1/detectors/alerts/<alert_id>"
_PREVIEW: Final = body_schema(
    "PreviewException",
    {
        "rule_id": {"type": "string", "minLength": 1, "maxLength": 500},
        "condition": {"type": "object"},
    },
)


@dataclass(frozen=True, slots=True)
class _AlertPage:
    pages: AlertPageService
    replays: ReplayService
    previews: ExceptionPreviews

    def explain_alert(self, request: Request) -> Response:
        view = read_filter(request.query)
        found = self.pages.explain_alert(request.caller, request.args["alert_id"], view)
        return json_response(explanation_json(found))

    def replay_alert(self, request: Request) -> Response:
        found = self.replays.replay_alert(request.caller, request.args["alert_id"])
        return json_response(replay_json(found))

    def preview_exception(self, request: Request) -> Response:
        body = request.json_object()
        condition, rule_id = fields_of(body, "condition"), text_of(body, "rule_id")
        found = self.previews.preview_exception(request.caller, rule_id, condition)
        return json_response(preview_json(found))


def alert_page_routes(
    pages: AlertPageService, replays: ReplayService, previews: ExceptionPreviews
) -> tuple[Route, ...]:
    """Return the routes of one alert beyond its own record."""
    handlers = _AlertPage(pages, replays, previews)
    return (
        Route(
            method="GET",
            path=f"{_ALERT}/explanation",
            operation="explain_alert",
            access=ALERT_READ,
            handler=handlers.explain_alert,
            credential="either",
        ),
        Route(
            method="GET",
            path=f"{_ALERT}/replay",
            operation="replay_alert",
            access=RULE_READ,
            handler=handlers.replay_alert,
            credential="either",
        ),
        Route(
            method="POST",
            path="/api/v1/detectors/exceptions/preview",
            operation="preview_exception",
            access=EXCEPTION_REQUEST,
            handler=handlers.preview_exception,
            credential="either",
            request=_PREVIEW,
        ),
    )
