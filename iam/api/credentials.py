"""How a client presents itself: Basic, form or assertion, one of them (RFC 6749 §2.3)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_plus

import orjson

from iam.errors import AddressLocked, InvalidClient, InvalidRequest, RateExceeded, UseDpopNonce
from iam.models.clients import ASSERTION_TYPE, ClientCredentials
from iam.service.rates import Rates
from secops.kernel.access import Possession
from secops.kernel.trail import Act
from secops.web.messages import JSON, NO_STORE, Request, Response
from secops.web.problems import problem_response

_NO_STORE: Final = (("content-type", JSON), NO_STORE, ("pragma", "no-cache"))
_MAX_HEADER: Final = 1_024


def read_credentials(request: Request, form: Mapping[str, str]) -> ClientCredentials:
    """Return the client's credentials; raise ``InvalidClient`` or ``InvalidRequest``."""
    header = request.headers.get("authorization", "")
    if header:
        return _by_header(header, form)
    if "client_assertion" in form or "client_assertion_type" in form:
        return _by_assertion(form)
    client_id = form.get("client_id")
    if not client_id:
        msg = "the client does not say who it is"
        raise InvalidClient(msg)
    return ClientCredentials(client_id, form.get("client_secret"))


def read_possession(request: Request, form: Mapping[str, str]) -> ClientCredentials:
    """Return credentials and the DPoP proof that came along; raise as ``read_credentials``."""
    credentials = read_credentials(request, form)
    proof = request.headers.get("dpop")
    if proof is None:
        return credentials
    return replace(credentials, possession=Possession(proof, request.method, request.path))


def _by_header(header: str, form: Mapping[str, str]) -> ClientCredentials:
    if "client_secret" in form or "client_assertion" in form:
        msg = "the client authenticates in two ways at once"
        raise InvalidRequest(msg)
    client_id, secret = _basic(header)
    if form.get("client_id", client_id) != client_id:
        msg = "two client ids"
        raise InvalidRequest(msg)
    return ClientCredentials(client_id, secret)


def _by_assertion(form: Mapping[str, str]) -> ClientCredentials:
    """Return an assertion; without a client_id its own subject says who it is (RFC 7521 §4.2)."""
    assertion = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
        msg = f"client_assertion needs client_assertion_type {ASSERTION_TYPE}"
        raise InvalidRequest(msg)
    if "client_secret" in form:
        msg = "the client authenticates in two ways at once"
        raise InvalidRequest(msg)
    return ClientCredentials(form.get("client_id", ""), None, assertion)


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    try:
        if scheme.lower() != "basic" or len(header) > _MAX_HEADER:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        name, colon, secret = b64decode(value.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError  # noqa: TRY301
    except (ValueError, binascii.Error) as error:
        msg = "the Authorization header is not HTTP Basic"
        raise InvalidClient(msg) from error
    return unquote_plus(name), unquote_plus(secret)


def oauth_response(
    value: Mapping[str, object], acts: Sequence[Act] = (), *, status: int = 200
) -> Response:
    """Return a token answer: JSON that nobody keeps (RFC 6749 §5.1)."""
    return Response(status, _NO_STORE, orjson.dumps(value), acts)


def guarded(rates: Rates, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Hold callers to their rates, and say how a client should prove itself (RFC 6749 §5.2)."""

    def answer(request: Request) -> Response:
        try:
            rates.refuse_locked(request.remote)
            return rates.admit(request.remote, lambda: handler(request))
        except (AddressLocked, RateExceeded) as error:
            refused = problem_response(error, request, "oauth")
            return replace(refused, acts=error.acts)
        except UseDpopNonce as error:
            body = orjson.dumps({"error": error.oauth_error, "error_description": error.detail})
            nonce = ("dpop-nonce", str(error.facts["dpop_nonce"]))
            return Response(400, (*_NO_STORE, nonce), body)
        except InvalidClient as error:
            body = orjson.dumps({"error": error.oauth_error, "error_description": error.detail})
            challenge = ("www-authenticate", 'Basic realm="govsecops", charset="UTF-8"')
            return Response(401, (*_NO_STORE, challenge), body)

    return answer
