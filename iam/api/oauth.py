"""The OAuth surfaces that applications call: token, introspect, revoke, PAR, devices.

Token and introspect are fast routes. Client credentials and introspection return their act in
the response and wait for nothing; a code or refresh token is consumed by a unit of work, whose
commit its caller has to wait for under any server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from iam.api.credentials import (
    guarded,
    oauth_response,
    read_credentials,
    read_possession,
)
from iam.errors import InvalidRequest, UnsupportedGrantType
from iam.models.clients import DEVICE_GRANT
from iam.models.grants import TokenSet
from iam.service import IamServices
from iam.service.provider.grants import CodeExchange
from secops.web.messages import Request, Response
from secops.web.routes import Public, Route, Schema

MAX_BODY: Final = 16_384
_CLIENTS: Final = "the client authenticates itself, as RFC 6749 describes"
_TOKEN: Final = Schema(
    "TokenAnswer",
    {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in"],
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"enum": ["Bearer", "DPoP"]},
            "expires_in": {"type": "integer"},
            "scope": {"type": "string"},
            "refresh_token": {"type": "string"},
            "id_token": {"type": "string"},
        },
    },
)
_INTROSPECTION: Final = Schema(
    "IntrospectionAnswer",
    {
        "type": "object",
        "required": ["active"],
        "properties": {"active": {"type": "boolean"}},
    },
)

_PUSHED: Final = Schema(
    "PushedAnswer",
    {
        "type": "object",
        "required": ["request_uri", "expires_in"],
        "properties": {"request_uri": {"type": "string"}, "expires_in": {"type": "integer"}},
    },
)
_DEVICE: Final = Schema(
    "DeviceAnswer",
    {
        "type": "object",
        "required": ["device_code", "user_code", "verification_uri", "expires_in"],
        "properties": {
            "device_code": {"type": "string"},
            "user_code": {"type": "string"},
            "verification_uri": {"type": "string"},
            "verification_uri_complete": {"type": "string"},
            "expires_in": {"type": "integer"},
            "interval": {"type": "integer"},
        },
    },
)
_ANSWERS: Final = {
    "token": _TOKEN,
    "introspect": _INTROSPECTION,
    "par": _PUSHED,
    "device_authorization": _DEVICE,
}


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for applications."""
    calls = _Calls(services)

    def route(path: str, operation: str, handler: Callable[[Request], Response]) -> Route:
        return Route(
            method="POST",
            path=f"/oauth2/{path}",
            operation=operation,
            access=Public(_CLIENTS),
            handler=guarded(services.rates, handler),
            response=_ANSWERS.get(path),
            form="oauth",
            max_body=MAX_BODY,
            fast=path in ("token", "introspect"),
        )

    return (
        route("token", "issue_token", calls.token),
        route("introspect", "introspect_token", calls.introspect),
        route("revoke", "revoke_token", calls.revoke),
        route("par", "push_authorization", calls.push),
        route("device_authorization", "start_device", calls.start_device),
    )


def required(form: Mapping[str, str], name: str) -> str:
    """Return a parameter; raise ``InvalidRequest`` if it is missing or empty."""
    value = form.get(name)
    if not value:
        msg = f"{name} is required"
        raise InvalidRequest(msg)
    return value


@dataclass(frozen=True, slots=True)
class _Calls:
    services: IamServices

    def token(self, request: Request) -> Response:
        form = request.form
        grant = required(form, "grant_type")
        if grant == "client_credentials":
            tokens, act = self.services.grants.client_credentials(
                read_possession(request, form), form.get("scope"), form.get("resource")
            )
            return oauth_response(_presented(tokens), (act,))
        if grant == "authorization_code":
            return oauth_response(_presented(self._exchange(request, form)))
        if grant == "refresh_token":
            return oauth_response(_presented(self._refresh(request, form)))
        if grant == DEVICE_GRANT:
            return oauth_response(_presented(self._ask_for_device(request, form)))
        raise UnsupportedGrantType

    def _exchange(self, request: Request, form: Mapping[str, str]) -> TokenSet:
        exchange = CodeExchange(
            code=required(form, "code"),
            redirect_uri=required(form, "redirect_uri"),
            verifier=required(form, "code_verifier"),
        )
        return self.services.grants.exchange_code(read_possession(request, form), exchange)

    def _refresh(self, request: Request, form: Mapping[str, str]) -> TokenSet:
        credentials = read_possession(request, form)
        token = required(form, "refresh_token")
        return self.services.grants.refresh(credentials, token, form.get("scope"))

    def _ask_for_device(self, request: Request, form: Mapping[str, str]) -> TokenSet:
        code = required(form, "device_code")
        return self.services.device_grants.exchange(read_possession(request, form), code)

    def push(self, request: Request) -> Response:
        """Keep an authorization request for the browser to name (RFC 9126 §2)."""
        form = request.form
        reference, seconds = self.services.pushed.push(read_possession(request, form), form)
        return oauth_response({"request_uri": reference, "expires_in": seconds}, status=201)

    def start_device(self, request: Request) -> Response:
        """Give a device its codes (RFC 8628 §3.2)."""
        form = request.form
        started = self.services.device_grants.start(
            read_possession(request, form), form.get("scope"), request.remote
        )
        page = f"{request.origin}/device"
        return oauth_response(
            {
                "device_code": started.device_code,
                "user_code": started.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={started.user_code}",
                "expires_in": started.expires_in,
                "interval": started.interval,
            }
        )

    def introspect(self, request: Request) -> Response:
        asked = _question_digest(request)
        found = self.services.inspection.introspect_again(asked)
        if found is None:
            form = request.form
            found = self.services.inspection.introspect(
                read_credentials(request, form), required(form, "token"), asked
            )
        answer, act = found
        return oauth_response(answer, (act,))

    def revoke(self, request: Request) -> Response:
        form = request.form
        credentials = read_credentials(request, form)
        self.services.inspection.revoke(credentials, required(form, "token"))
        return oauth_response({})


def _question_digest(request: Request) -> bytes:
    """Return SHA-256 of all that the answer depends on; a header can't hold the separator."""
    headers = request.headers
    kind, credential = headers.get("content-type", ""), headers.get("authorization", "")
    return hashlib.sha256(f"{kind}\0{credential}\0".encode() + request.body).digest()


def _presented(tokens: TokenSet) -> dict[str, object]:
    answer: dict[str, object] = {
        "access_token": tokens.access_token,
        "token_type": tokens.token_type,
        "expires_in": tokens.expires_in,
        "scope": tokens.scope,
    }
    if tokens.refresh_token is not None:
        answer["refresh_token"] = tokens.refresh_token
    if tokens.id_token is not None:
        answer["id_token"] = tokens.id_token
    return answer
