"""``/api/v1/detectors``: the queue's counts, groups, news, saved views, deadlines, handling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from detectors.api.bodies import body_schema, number_of, text_of
from detectors.models.rules import SEVERITIES, Severity
from detectors.service.triage.alert_views import AlertDeadlineService, AlertViewService
from detectors.service.triage.filters import WORDS, read_filter, read_group, read_order
from detectors.service.triage.handling import AlertHandlingService
from detectors.service.triage.presentation import alert_json
from detectors.service.triage.queue import AlertQueueService
from detectors.service.triage.queue_presentation import (
    alert_group_json,
    counts_json,
    deadlines_json,
    news_json,
    view_json,
)
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_DEADLINE_SET, ALERT_READ
from secops.web.messages import Request, Response, json_response
from secops.web.paging import wanted_page
from secops.web.routes import Route, Schema, named_route

_ROOT: Final = "/api/v1/detectors"
_VIEW_WORDS: Final[tuple[str, ...]] = (*WORDS, "sort", "group")
_TEXT: Final[dict[str, Any]] = {"type": "string", "maxLength": 500}
_MINUTES: Final[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 129_600}
_DIGITS: Final = 18


_ASSIGN: Final = body_schema(
    "AssignAlert",
    {"to": {"type": "string", "maxLength": 200}},
    version={"type": "integer", "minimum": 1},
)
_VIEW: Final = body_schema(
    "SaveAlertView",
    {"name": {"type": "string", "minLength": 1, "maxLength": 80}},
    **dict.fromkeys(_VIEW_WORDS, _TEXT),
)
_DEADLINE: Final = body_schema(
    "SetAlertDeadline",
    {
        "acknowledge_minutes": _MINUTES,
        "resolve_minutes": _MINUTES,
        "reason": {"type": "string", "minLength": 1, "maxLength": 500},
    },
)


@dataclass(frozen=True, slots=True)
class QueueServices:
    """What these routes lead to."""

    queue: AlertQueueService
    handling: AlertHandlingService
    views: AlertViewService
    deadlines: AlertDeadlineService


@dataclass(frozen=True, slots=True)
class _Queue:
    services: QueueServices

    def count_alerts(self, request: Request) -> Response:
        found = self.services.queue.count_alerts(request.caller, read_filter(request.query))
        return json_response(counts_json(found))

    def group_alerts(self, request: Request) -> Response:
        by = read_group(request.query) or "rule"
        wanted, page = read_filter(request.query), wanted_page(request)
        found = self.services.queue.group_alerts(request.caller, wanted, by, page)
        items = [alert_group_json(each) for each in found.items]
        return json_response({"items": items, "next": found.next})

    def watch_alerts(self, request: Request) -> Response:
        wanted, revision = read_filter(request.query), read_revision(request)
        found = self.services.queue.watch_alerts(request.caller, wanted, revision)
        return json_response(news_json(found))

    def acknowledge_alert(self, request: Request) -> Response:
        alert_id = request.args["alert_id"]
        alert = self.services.handling.acknowledge_alert(request.caller, alert_id)
        return json_response(alert_json(alert))

    def take_alert(self, request: Request) -> Response:
        alert_id = request.args["alert_id"]
        return json_response(
            alert_json(self.services.handling.take_alert(request.caller, alert_id))
        )

    def assign_alert(self, request: Request) -> Response:
        body = request.json_object()
        version = number_of(body, "version") if "version" in body else None
        alert = self.services.handling.assign_alert(
            request.caller, request.args["alert_id"], text_of(body, "to"), version
        )
        return json_response(alert_json(alert))


@dataclass(frozen=True, slots=True)
class _Views:
    services: QueueServices

    def save_alert_view(self, request: Request) -> Response:
        body = request.json_object()
        said = {name: text_of(body, name) for name in _VIEW_WORDS if name in body}
        view = self.services.views.save_alert_view(
            request.caller,
            text_of(body, "name"),
            read_filter(said),
            order=read_order(said),
            group=read_group(said),
        )
        return json_response(view_json(view), 201)

    def list_alert_views(self, request: Request) -> Response:
        found = self.services.views.list_alert_views(request.caller)
        return json_response({"items": [view_json(each) for each in found], "next": None})

    def forget_alert_view(self, request: Request) -> Response:
        self.services.views.forget_alert_view(request.caller, request.args["view_id"])
        return Response(204)

    def list_alert_deadlines(self, request: Request) -> Response:
        found = self.services.deadlines.list_alert_deadlines(request.caller)
        return json_response({"items": deadlines_json(found), "next": None})

    def set_alert_deadline(self, request: Request) -> Response:
        body = request.json_object()
        minutes = number_of(body, "acknowledge_minutes"), number_of(body, "resolve_minutes")
        severity = read_severity(request.args["severity"])
        found = self.services.deadlines.set_alert_deadline(
            request.caller, severity, minutes, text_of(body, "reason")
        )
        return json_response({"items": deadlines_json(found), "next": None})


def read_revision(request: Request) -> int:
    """Return the revision that a view was shown at; raise ``Invalid``."""
    text = request.query.get("revision", "")
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        msg = "revision is the number that the view was shown with"
        raise Invalid(msg)
    return int(text)


def read_severity(text: str) -> Severity:
    """Return the severity that an address names; raise ``Invalid``."""
    if text not in SEVERITIES:
        msg = f"severity is one of {', '.join(SEVERITIES)}"
        raise Invalid(msg)
    return text


def queue_routes(services: QueueServices) -> tuple[Route, ...]:
    """Return the routes of the queue."""
    here, views = _Queue(services), _Views(services)

    def route(  # noqa: PLR0913 - one parameter per part of a route
        method: Literal["GET", "POST", "PUT", "DELETE"],
        path: str,
        handler: Callable[[Request], Response],
        access: Permission = ALERT_READ,
        *,
        body: Schema | None = None,
        listing: bool = False,
    ) -> Route:
        return named_route(
            method,
            f"{_ROOT}/{path}",
            access,
            handler,
            credential="either",
            request=body,
            listing=listing,
        )

    alert = "alerts/<alert_id>"
    return (
        route("GET", "alert-counts", here.count_alerts),
        route("GET", "alert-groups", here.group_alerts, listing=True),
        route("GET", "alert-news", here.watch_alerts),
        route("POST", f"{alert}/acknowledge", here.acknowledge_alert, ALERT_CLOSE),
        route("POST", f"{alert}/take", here.take_alert, ALERT_CLOSE),
        route("POST", f"{alert}/assign", here.assign_alert, ALERT_CLOSE, body=_ASSIGN),
        route("GET", "alert-views", views.list_alert_views, listing=True),
        route("POST", "alert-views", views.save_alert_view, body=_VIEW),
        route("DELETE", "alert-views/<view_id>", views.forget_alert_view),
        route("GET", "alert-deadlines", views.list_alert_deadlines, listing=True),
        route(
            "PUT",
            "alert-deadlines/<severity>",
            views.set_alert_deadline,
            ALERT_DEADLINE_SET,
            body=_DEADLINE,
        ),
    )
