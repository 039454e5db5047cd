"""Notification channels, messages and subscriptions over HTTP."""

from __future__ import annotations

from typing import Any, Final

from playbooks.api.schemas import COUNT, FLAG, TEXT, TEXTS, body_of, object_schema, page_schema
from playbooks.models.incidents import SEVERITIES
from playbooks.models.notifications import EVENTS, KINDS, ChannelDraft
from playbooks.service import PlaybooksServices
from playbooks.service.notifications import NewSubscription
from playbooks.service.notifications.documents import (
    channel_document,
    message_document,
    quiet_hours,
    subscription_document,
)
from secops.kernel.permissions.playbooks import (
    CHANNEL_MANAGE,
    CHANNEL_READ,
    MESSAGE_READ,
    MESSAGE_RESOLVE,
    SUBSCRIPTION_MANAGE,
)
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, Schema, named_route

_CHANNEL_FIELDS: Final = {
    "name": TEXT,
    "kind": {"enum": list(KINDS)},
    "url": TEXT,
    "secret": TEXT,
    "to": TEXTS,
    "language": {"enum": ["zh", "en"]},
}
CHANNEL: Final = Schema("Channel", {"type": "object", "required": ["id", "name", "kind"]})
MESSAGE: Final = Schema("OutgoingMessage", {"type": "object", "required": ["id", "state"]})
SUBSCRIPTION: Final = Schema("Subscription", {"type": "object", "required": ["id", "event"]})
NEW_CHANNEL: Final = Schema("NewChannel", object_schema(("name", "kind"), **_CHANNEL_FIELDS))
CHANGE_CHANNEL: Final = Schema(
    "ChangeChannel", object_schema(("name", "kind", "version"), version=COUNT, **_CHANNEL_FIELDS)
)
SWITCH_CHANNEL: Final = Schema(
    "SwitchChannel",
    object_schema(("enabled", "version"), enabled=FLAG, version=COUNT),
)
MESSAGE_REASON: Final = Schema("MessageReason", object_schema(("reason",), reason=TEXT))
SUBSCRIBE: Final = Schema(
    "Subscribe",
    object_schema(
        ("event", "target"),
        event={"enum": list(EVENTS)},
        target=TEXT,
        min_severity={"enum": list(SEVERITIES)},
        quiet=TEXT,
    ),
)


class _Handlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services.notifications

    def list_channels(self, request: Request) -> Response:
        found = self._services.channels.list_channels(request.caller)
        return json_response({"items": [channel_document(one) for one in found], "next": None})

    def create_channel(self, request: Request) -> Response:
        draft = _draft(body_of(request, NEW_CHANNEL))
        made = self._services.channels.create_channel(request.caller, draft)
        return json_response(channel_document(made), 201)

    def change_channel(self, request: Request) -> Response:
        body = body_of(request, CHANGE_CHANNEL)
        channel_id = request.args["channel_id"]
        changed = self._services.channels.change_channel(
            request.caller, channel_id, _draft(body), version=body["version"]
        )
        return json_response(channel_document(changed))

    def switch_channel(self, request: Request) -> Response:
        body = body_of(request, SWITCH_CHANNEL)
        changed = self._services.channels.switch_channel(
            request.caller,
            request.args["channel_id"],
            enabled=body["enabled"],
            version=body["version"],
        )
        return json_response(channel_document(changed))

    def test_channel(self, request: Request) -> Response:
        message = self._services.channels.test_channel(request.caller, request.args["channel_id"])
        return json_response(message_document(message), 202)

    def list_subscriptions(self, request: Request) -> Response:
        found = self._services.subscriptions.list_subscriptions(request.caller)
        return json_response({"items": [subscription_document(one) for one in found], "next": None})

    def subscribe(self, request: Request) -> Response:
        body = body_of(request, SUBSCRIBE)
        begins, ends = quiet_hours(body.get("quiet", ""))
        severity = body.get("min_severity", "high")
        new = NewSubscription(body["event"], body["target"], severity, begins, ends)
        made = self._services.subscriptions.subscribe(request.caller, new)
        return json_response(subscription_document(made), 201)

    def unsubscribe(self, request: Request) -> Response:
        self._services.subscriptions.unsubscribe(request.caller, request.args["subscription_id"])
        return Response(204)


class _MessageHandlers:
    def __init__(self, services: PlaybooksServices) -> None:
        self._services = services.notifications

    def list_messages(self, request: Request) -> Response:
        state = request.query.get("state") or None
        page = self._services.messages.list_messages(request.caller, state, wanted_page(request))
        return page_response(page, message_document)

    def resend_message(self, request: Request) -> Response:
        reason = body_of(request, MESSAGE_REASON)["reason"]
        message_id = request.args["message_id"]
        found = self._services.messages.resend_message(request.caller, message_id, reason=reason)
        return json_response(message_document(found))

    def drop_message(self, request: Request) -> Response:
        reason = body_of(request, MESSAGE_REASON)["reason"]
        message_id = request.args["message_id"]
        found = self._services.messages.drop_message(request.caller, message_id, reason=reason)
        return json_response(message_document(found))


def _draft(body: Any) -> ChannelDraft:
    return ChannelDraft(
        name=body["name"],
        kind=body["kind"],
        url=body.get("url", ""),
        secret=body.get("secret", ""),
        to=tuple(body.get("to", ())),
        language=body.get("language", "zh"),
    )


def routes(services: PlaybooksServices) -> tuple[Route, ...]:
    """Return the routes of channels, messages and subscriptions."""
    here, mail = _Handlers(services), _MessageHandlers(services)
    channels = "/api/v1/playbooks/channels"
    messages = "/api/v1/playbooks/messages"
    subscriptions = "/api/v1/playbooks/subscriptions"
    one = f"{channels}/<channel_id>"
    changing = (
        ("POST", channels, here.create_channel, NEW_CHANNEL, CHANNEL, CHANNEL_MANAGE),
        ("PUT", one, here.change_channel, CHANGE_CHANNEL, CHANNEL, CHANNEL_MANAGE),
        ("POST", f"{one}/switch", here.switch_channel, SWITCH_CHANNEL, CHANNEL, CHANNEL_MANAGE),
        ("POST", f"{one}/test", here.test_channel, None, MESSAGE, CHANNEL_MANAGE),
        ("POST", subscriptions, here.subscribe, SUBSCRIBE, SUBSCRIPTION, SUBSCRIPTION_MANAGE),
        (
            "DELETE",
            f"{subscriptions}/<subscription_id>",
            here.unsubscribe,
            None,
            None,
            SUBSCRIPTION_MANAGE,
        ),
        *(
            (
                "POST",
                f"{messages}/<message_id>/{verb}",
                handler,
                MESSAGE_REASON,
                MESSAGE,
                MESSAGE_RESOLVE,
            )
            for verb, handler in (("resend", mail.resend_message), ("drop", mail.drop_message))
        ),
    )
    reading = (
        (channels, here.list_channels, "Channel", CHANNEL_READ),
        (messages, mail.list_messages, "OutgoingMessage", MESSAGE_READ),
        (subscriptions, here.list_subscriptions, "Subscription", CHANNEL_READ),
    )
    return (
        *(
            named_route(
                "GET",
                path,
                access,
                handler,
                response=page_schema(name),
                listing=name == "OutgoingMessage",
            )
            for path, handler, name, access in reading
        ),
        *(
            named_route(method, path, access, handler, request=request, response=response)
            for method, path, handler, request, response, access in changing
        ),
    )
