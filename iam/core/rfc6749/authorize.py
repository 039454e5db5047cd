"""Checks of a request to the authorization endpoint, in the order that keeps it safe.

First client and redirect URI: while these are in doubt the browser is not sent anywhere
(RFC 6749 §4.1.2.1). Only then everything whose refusal goes back to the application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from iam.core.rfc7515.jws import JwsRefused
from iam.core.rfc7636.pkce import check_challenge
from iam.core.rfc9449.proof import check_thumbprint
from iam.core.rfc9470.demands import demanded_age, demanded_level
from iam.errors import (
    InvalidRequest,
    InvalidScope,
    OAuthRefused,
    RedirectRefused,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from iam.models.clients import Client
from iam.models.grants import AuthorizationRequest

_LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]"})
_PROMPTS: Final = frozenset({"none", "login", "consent"})
_UNSERVED: Final[Mapping[str, type[OAuthRefused]]] = {
    "request": RequestNotSupported,
    "request_uri": RequestUriNotSupported,
    "registration": RegistrationNotSupported,
}
MAX_TEXT: Final = 1_024


def redirect_target(client: Client, given: str | None) -> str:
    """Return the redirect URI to use; raise ``RedirectRefused`` unless it is registered.

    Byte for byte (RFC 9700 §2.1), but for the port of a native application's loopback
    address (RFC 8252 §7.3).
    """
    if given is None:
        msg = "redirect_uri is required"
        raise RedirectRefused(msg)
    if given in client.redirect_uris:
        return given
    if client.public and any(_same_but_port(uri, given) for uri in client.redirect_uris):
        return given
    msg = "the redirect_uri is not registered for this application"
    raise RedirectRefused(msg)


def _same_but_port(registered: str, given: str) -> bool:
    host = registered.removeprefix("http://").partition("/")[0]
    if not registered.startswith("http://") or host not in _LOOPBACK:
        return False
    start = f"http://{host}:"
    if not given.startswith(start):
        return False
    port, slash, path = given.removeprefix(start).partition("/")
    plain = port.isascii() and port.isdigit() and 0 < int(port[:6]) < 1 << 16
    return plain and f"http://{host}{slash}{path}" == registered


def registrable_uri(uri: str) -> bool:
    """Tell whether ``uri`` may be registered: https, or http on loopback; no fragment."""
    if len(uri) > MAX_TEXT or any(ord(c) <= ord(" ") or ord(c) > ord("~") for c in uri):
        return False
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return False
    if not host or "#" in uri or "*" in uri or "@" in parts.netloc or "\\" in uri:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and host in {"127.0.0.1", "::1", "localhost"}
    )


def check_authorization(
    parameters: Mapping[str, str], client: Client, redirect_uri: str
) -> AuthorizationRequest:
    """Return the checked request; raise a branch of ``OAuthRefused`` for the application."""
    for name, refusal in _UNSERVED.items():
        if name in parameters:
            msg = f"the parameter {name} is not served"
            raise refusal(msg)
    if parameters.get("response_type") != "code":
        msg = "response_type must be code"
        raise UnsupportedResponseType(msg)
    if parameters.get("response_mode", "query") != "query":
        msg = "response_mode must be query"
        raise InvalidRequest(msg)
    if "authorization_code" not in client.grants:
        msg = "the application is not registered for authorization codes"
        raise UnauthorizedClient(msg)
    for name in ("state", "nonce"):
        if len(parameters.get(name, "")) > MAX_TEXT:
            msg = f"{name} is longer than {MAX_TEXT} characters"
            raise InvalidRequest(msg)
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        scopes=allowed_scopes(client, parameters.get("scope")),
        challenge=check_challenge(
            parameters.get("code_challenge"), parameters.get("code_challenge_method")
        ),
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        prompt=_prompt(parameters.get("prompt")),
        max_age=demanded_age(parameters.get("max_age"), client),
        level=demanded_level(parameters.get("acr_values"), client),
        dpop_jkt=_key(parameters.get("dpop_jkt")),
        hint=parameters.get("id_token_hint"),
    )


def _key(thumbprint: str | None) -> str | None:
    try:
        return None if thumbprint is None else check_thumbprint(thumbprint)
    except JwsRefused as error:
        raise InvalidRequest(str(error)) from error


def allowed_scopes(client: Client, asked: str | None) -> frozenset[str]:
    """Return the scopes asked for, or all registered ones; raise ``InvalidScope``."""
    if asked is None or not asked.strip():
        return client.scopes
    scopes = frozenset(asked.split(" ")) - {""}
    if not scopes <= client.scopes:
        msg = "a scope is not registered for this application"
        raise InvalidScope(msg)
    return scopes


def _prompt(value: str | None) -> frozenset[str]:
    words = frozenset((value or "").split())
    if not words <= _PROMPTS or ("none" in words and len(words) > 1):
        msg = "prompt must be none alone, or of login and consent"
        raise InvalidRequest(msg)
    return words


def answer_location(redirect_uri: str, parameters: Mapping[str, str | None]) -> str:
    """Return ``redirect_uri`` with ``parameters`` added to its query (None ones left out)."""
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"
