"""Checking an ID token as OpenID Connect Core §3.1.3.7 numbers its steps.

Algorithm, issuer and keys are what was configured; nothing in the token chooses any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
import orjson

from iam.core.base64url import decode
from iam.errors import UpstreamRefused

MAX_TOKEN: Final = 8_192
LEEWAY_SECONDS: Final = 60
OLDEST_SECONDS: Final = 600
MAX_SUBJECT: Final = 255
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_TYPES: Final = frozenset({"JWT", "jwt", "application/jwt"})
_DEPTH: Final = 16


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must say, besides being signed. ``now`` is UTC seconds."""

    issuer: str
    client_id: str
    algorithm: str
    nonce: str
    now: int


def token_kid(token: str, algorithm: str) -> str:
    """Return the ``kid`` of a token; raise ``UpstreamRefused`` unless its header is plain.

    ``alg`` must be the configured one; ``crit``, embedded keys and addresses of keys are refused.
    """
    header = _header(token)
    if header.get("alg") != algorithm:
        msg = "the token is signed with another algorithm than agreed"
        raise UpstreamRefused(msg)
    if not set(header) <= {"alg", "kid", "typ"} or header.get("typ", "JWT") not in _TYPES:
        msg = "the token's header holds more than alg, kid and typ"
        raise UpstreamRefused(msg)
    kid = header.get("kid", "")
    if not isinstance(kid, str):
        msg = "the token's kid is no text"
        raise UpstreamRefused(msg)
    return kid


def verify_id_token(token: str, keys: Mapping[str, Any], expected: Expected) -> dict[str, Any]:
    """Return the claims; raise ``UpstreamRefused`` at the first step that fails."""
    kid = token_kid(token, expected.algorithm)
    key = keys.get(kid)
    if key is None:
        msg = "the token's key is none of the provider's"
        raise UpstreamRefused(msg)
    claims = _signed(token, key, expected.algorithm)  # steps 6, 7
    if claims.get("iss") != expected.issuer:  # step 2
        msg = "another issuer's token"
        raise UpstreamRefused(msg)
    _check_audience(claims, expected.client_id)  # steps 3 to 5
    _check_times(claims, expected.now)  # steps 9, 10
    if claims.get("nonce") != expected.nonce:  # step 11
        msg = "the token answers another sign-in"
        raise UpstreamRefused(msg)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        msg = "the token names no subject"
        raise UpstreamRefused(msg)
    return claims


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN or _SHAPE.fullmatch(token) is None:
        msg = "not a compact JWT of at most 8 KiB"
        raise UpstreamRefused(msg)
    try:
        parts = [decode(segment) for segment in token.split(".")]
        header = orjson.loads(parts[0])
    except ValueError as error:
        msg = "the token is not canonical base64url of JSON"
        raise UpstreamRefused(msg) from error
    if not isinstance(header, dict):
        msg = "the token's header is no object"
        raise UpstreamRefused(msg)
    return header


def _signed(token: str, key: Any, algorithm: str) -> dict[str, Any]:
    try:
        payload = jwt.PyJWS(algorithms=[algorithm]).decode(token, key, algorithms=[algorithm])
        if payload.count(b"{") + payload.count(b"[") > 10 * _DEPTH:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        claims = orjson.loads(payload)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        msg = "the token's signature does not verify"
        raise UpstreamRefused(msg) from error
    if not isinstance(claims, dict):
        msg = "the token's claims are no object"
        raise UpstreamRefused(msg)
    return claims


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    values = [audience] if isinstance(audience, str) else audience
    if not isinstance(values, list) or client_id not in values:
        msg = "the token is for another application"
        raise UpstreamRefused(msg)
    party = claims.get("azp")
    # several audiences need azp (step 4); where it stands it must be us (step 5)
    if party != client_id and (party is not None or len(values) > 1):
        msg = "the token was issued to another application"
        raise UpstreamRefused(msg)


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        msg = "the token has no times"
        raise UpstreamRefused(msg)
    if expires <= now:
        msg = "the token has expired"
        raise UpstreamRefused(msg)
    if not now - OLDEST_SECONDS <= issued <= now + LEEWAY_SECONDS:
        msg = "the token is too old or from the future"
        raise UpstreamRefused(msg)
