"""Reading DPoP proofs: the twelve checks of RFC 9449 §4.3, numbered as they stand there."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from iam.core.base64url import encode
from iam.core.rfc7515.jws import JwsRefused, read_jws, verified_claims
from iam.core.rfc7517.keys import JwkRefused, read_jwk

TYPE: Final = "dpop+jwt"
WINDOW_SECONDS: Final = 60
MAX_ID: Final = 256
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Asked:
    """The request a proof came with. ``issuer`` is our own address, never the Host header.

    ``path`` is percent-decoded, ``now`` UTC seconds, ``token`` the access token at a resource.
    """

    method: str
    issuer: str
    path: str
    now: int
    token: str | None = None


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """A proof that was checked: ``thumbprint`` names the key its sender holds.

    ``once`` may be used a single time until ``expires_at`` (seconds); whether ``nonce`` is
    one of ours is for the caller to compare.
    """

    thumbprint: str
    once: bytes
    expires_at: int
    nonce: str | None


def read_proof(proof: str, asked: Asked) -> VerifiedProof:
    """Return what ``proof`` shows; raise ``JwsRefused``."""
    # 1 one header field: two would be joined by a comma, which no JWS holds; 2 one JWS;
    # 5 an asymmetric algorithm of ours
    jws = read_jws(proof)
    # 4 the type
    if jws.header.get("typ") != TYPE:
        msg = f"typ must be {TYPE}"
        raise JwsRefused(msg)
    # 7 a public key and no private member
    try:
        key = read_jwk(jws.header.get("jwk"))
    except JwkRefused as error:
        raise JwsRefused(str(error)) from error
    # 6 signed by that key
    claims = verified_claims(jws, key)
    # 3 all claims that are required
    identifier = _text(claims, "jti")
    if len(identifier) > MAX_ID:
        msg = f"jti is longer than {MAX_ID} characters"
        raise JwsRefused(msg)
    # 8 the method, 9 the address
    if _text(claims, "htm") != asked.method:
        msg = "htm is another method"
        raise JwsRefused(msg)
    if not _same_address(_text(claims, "htu"), asked):
        msg = "htu is another address"
        raise JwsRefused(msg)
    issued = _issued(claims, asked.now)  # 11 made about now
    _check_token(claims, asked.token)  # 12 this access token
    once = f"{key.thumbprint}|{asked.path}|{identifier}".encode()
    nonce = claims.get("nonce")  # 10 is for whoever knows the nonces
    if nonce is not None and not isinstance(nonce, str):
        msg = "nonce is no text"
        raise JwsRefused(msg)
    return VerifiedProof(
        thumbprint=key.thumbprint,
        once=hashlib.sha256(once).digest(),
        expires_at=issued + 2 * WINDOW_SECONDS,
        nonce=nonce,
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        msg = f"{name} is missing"
        raise JwsRefused(msg)
    return value


def _issued(claims: Mapping[str, Any], now: int) -> int:
    issued = claims.get("iat")
    if type(issued) is not int:
        msg = "iat is missing"
        raise JwsRefused(msg)
    if abs(now - issued) > WINDOW_SECONDS:
        msg = f"the proof was not made within {WINDOW_SECONDS} seconds of now"
        raise JwsRefused(msg)
    return issued


def _check_token(claims: Mapping[str, Any], token: str | None) -> None:
    if token is None:
        return
    expected = encode(hashlib.sha256(token.encode()).digest())
    if not hmac.compare_digest(_text(claims, "ath").encode(), expected.encode()):
        msg = "ath is another access token's"
        raise JwsRefused(msg)


def _same_address(given: str, asked: Asked) -> bool:
    """Compare scheme, host, port and path; query and fragment don't count (§4.3 no. 9)."""
    try:
        one, other = urlsplit(given), urlsplit(asked.issuer)
        same_place = _place(one) == _place(other)
    except ValueError:
        return False
    prefix = unquote(other.path).rstrip("/")
    return same_place and unquote(one.path or "/") == f"{prefix}{asked.path}"


def _place(parts: SplitResult) -> tuple[str, str, int | None]:
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise ValueError
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme)


def check_thumbprint(text: str) -> str:
    """Return ``dpop_jkt`` (§10); raise ``JwsRefused`` unless it is a SHA-256 thumbprint."""
    if _THUMBPRINT.fullmatch(text) is None:
        msg = "dpop_jkt is no SHA-256 thumbprint"
        raise JwsRefused(msg)
    return text
