"""One's own number and mail address as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.api.shapes import Table, schema, text
from iam.models.messages import MaskedAddress, NewAddress
from iam.service import IamServices
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.clock import rfc3339_or_none
from secops.web.messages import Request, Response, json_response
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("the caller's own addresses")
_ASKED: Final = schema("NewMessageAddress", ("channel", "address"), channel={}, address={})
_CODE: Final = schema("MessageAddressCode", ("reference", "code"), reference={}, code={})
_BODY: Final = 16_384


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes of ``/api/v1/iam/me/message-addresses``."""
    calls = _Calls(services)
    own = "/me/message-addresses"
    table = Table(level=1, fresh_seconds=FRESH_SECONDS, max_body=_BODY)
    add = table.add
    add(f"GET {own}", "list_message_addresses", _OWN, calls.list_message_addresses)
    add(f"POST {own}", "ask_message_address", _OWN, calls.ask_message_address, request=_ASKED)
    add(
        f"POST {own}/confirmation",
        "confirm_message_address",
        _OWN,
        calls.confirm_message_address,
        request=_CODE,
    )
    add(f"DELETE {own}/<channel>", "remove_message_address", _OWN, calls.remove_message_address)
    return tuple(table.routes)


def address_shape(address: MaskedAddress) -> dict[str, object]:
    """Return an address as JSON: masked."""
    return {
        "channel": address.channel,
        "address": address.masked,
        "since": rfc3339_or_none(address.since),
        "last_used_at": rfc3339_or_none(address.last_used_at),
    }


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def list_message_addresses(self, request: Request) -> Response:
        held = self.services.message_addresses.list_addresses(request.caller)
        return json_response({"items": [address_shape(each) for each in held], "next": None})

    def ask_message_address(self, request: Request) -> Response:
        body = request.json_object()
        wish = NewAddress(
            text(body, "channel"), text(body, "address"), request.remote, request.language
        )
        asked = self.services.message_addresses.ask_address(request.caller, wish)
        answer = {"channel": asked.channel, "address": asked.masked, "reference": asked.reference}
        return json_response(answer, 202)

    def confirm_message_address(self, request: Request) -> Response:
        body = request.json_object()
        made = self.services.message_addresses.confirm_address(
            request.caller, text(body, "reference"), text(body, "code"), request.remote
        )
        return json_response(address_shape(made), 201)

    def remove_message_address(self, request: Request) -> Response:
        self.services.message_addresses.remove_address(request.caller, request.args["channel"])
        return Response(204)
