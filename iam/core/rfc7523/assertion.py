"""Client assertions (RFC 7523 §3, narrowed by RFC 9700 and draft-ietf-oauth-rfc7523bis).

The audience is our issuer and one string: a list, or another of our addresses, would let an
assertion made for somebody else's server be used here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from iam.core.rfc7515.jws import Jws, JwsRefused, verified_claims
from iam.core.rfc7517.keys import PublicJwk

LONGEST_SECONDS: Final = 300
LEEWAY_SECONDS: Final = 60
MAX_ID: Final = 256
_TYPES: Final = (None, "JWT", "client-authentication+jwt")


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose assertion it should be, for whom, signed with what, and the time (UTC seconds)."""

    client_id: str
    issuer: str
    algorithm: str
    now: int


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """An assertion that was checked; ``once`` may be used a single time until ``expires_at``."""

    once: bytes
    expires_at: int


def check_assertion(jws: Jws, keys: Iterable[PublicJwk], expected: Expected) -> VerifiedAssertion:
    """Return what must still be consumed; raise ``JwsRefused``."""
    if jws.algorithm != expected.algorithm:
        msg = "the assertion is not signed with the registered algorithm"
        raise JwsRefused(msg)
    if jws.header.get("typ") not in _TYPES or "jwk" in jws.header:
        msg = "the header is not an assertion's"
        raise JwsRefused(msg)
    claims = _claims(jws, keys)
    if claims.get("iss") != expected.client_id or claims.get("sub") != expected.client_id:
        msg = "iss and sub must be the client"
        raise JwsRefused(msg)
    if claims.get("aud") != expected.issuer:
        msg = "aud must be our issuer, and nothing beside it"
        raise JwsRefused(msg)
    expires = _check_times(claims, expected.now)
    identifier = claims.get("jti")
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= MAX_ID:
        msg = "jti is missing"
        raise JwsRefused(msg)
    once = hashlib.sha256(f"{expected.client_id}|{identifier}".encode()).digest()
    return VerifiedAssertion(once, expires + LEEWAY_SECONDS)


def _claims(jws: Jws, keys: Iterable[PublicJwk]) -> dict[str, Any]:
    """Try the keys of the named id; without a name, all of this algorithm."""
    for key in keys:
        fits = jws.key_id is None or jws.key_id in (key.key_id, key.thumbprint)
        if not fits or jws.algorithm not in key.algorithms:
            continue
        try:
            return verified_claims(jws, key)
        except JwsRefused:
            continue
    msg = "no registered key signed the assertion"
    raise JwsRefused(msg)


def _check_times(claims: dict[str, Any], now: int) -> int:
    """Return ``exp``, in seconds; there is no leeway behind it."""
    for name in ("exp", "iat", "nbf"):
        if type(claims.get(name, 0)) is not int:
            msg = f"{name} is no number of seconds"
            raise JwsRefused(msg)
    expires = int(claims.get("exp", 0))
    if expires <= now:
        msg = "the assertion has expired, or has no end"
        raise JwsRefused(msg)
    if expires > now + LONGEST_SECONDS + LEEWAY_SECONDS:
        msg = f"the assertion lives longer than {LONGEST_SECONDS} seconds"
        raise JwsRefused(msg)
    if max(claims.get("iat", 0), claims.get("nbf", 0)) > now + LEEWAY_SECONDS:
        msg = "the assertion is from the future"
        raise JwsRefused(msg)
    if "iat" in claims and expires - claims["iat"] > LONGEST_SECONDS:
        msg = f"the assertion lives longer than {LONGEST_SECONDS} seconds"
        raise JwsRefused(msg)
    return expires
