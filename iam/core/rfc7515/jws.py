"""Signatures that others made: a strict guard first, then one algorithm with one fitting key.

What a header may say is a short list: ``jku``, ``x5u``, ``crit`` and the rest name nothing we
would look at, so a token that has them was not made for us and is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAPSSAlgorithm

from iam.core.base64url import decode
from iam.core.rfc7517.keys import PublicJwk

MAX_JWS: Final = 8_192
MAX_HEADER: Final = 4_096
ALGORITHMS: Final = ("ES256", "PS256", "EdDSA", "Ed25519")
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_READ: Final = frozenset({"alg", "typ", "kid", "jwk"})
_VERIFIERS: Final[Mapping[str, Algorithm]] = {
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
}


class JwsRefused(ValueError):
    """The text is no JWS that we read, or its signature does not verify."""


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS taken apart; nothing in it is proved before ``verified_claims``."""

    header: Mapping[str, Any]
    signed: bytes
    payload: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """What it says it was signed with, one of ``ALGORITHMS``."""
        return str(self.header["alg"])

    @property
    def key_id(self) -> str | None:
        """The key it names, if any."""
        key_id = self.header.get("kid")
        return key_id if isinstance(key_id, str) else None


def read_jws(text: str) -> Jws:
    """Return the parts of a compact JWS; raise ``JwsRefused``.

    Canonical base64url, ASCII, at most 8 KiB, a header of known members, each once, with an
    asymmetric algorithm of ours (RFC 7515 §5.2, RFC 8725 §3.1).
    """
    if len(text) > MAX_JWS or _SHAPE.fullmatch(text) is None:
        msg = f"not a compact JWS of at most {MAX_JWS} characters"
        raise JwsRefused(msg)
    signed, _, last = text.rpartition(".")
    first, _, second = signed.partition(".")
    try:
        header, payload, signature = decode(first), decode(second), decode(last)
    except ValueError as error:
        msg = "a segment is not canonical base64url"
        raise JwsRefused(msg) from error
    return Jws(_header(header), signed.encode("ascii"), payload, signature)


def _header(content: bytes) -> Mapping[str, Any]:
    header = json_object(content[: MAX_HEADER + 1])
    if not header.keys() <= _READ:
        msg = "the header has a member that is not served"
        raise JwsRefused(msg)
    if header.get("alg") not in ALGORITHMS:
        msg = "the algorithm is not one of ours"
        raise JwsRefused(msg)
    if not isinstance(header.get("kid", ""), str) or not isinstance(header.get("typ", ""), str):
        msg = "a member of the header is of another type"
        raise JwsRefused(msg)
    return header


def json_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object, no name repeated on any level; raise ``JwsRefused``."""
    try:
        value = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        msg = "not JSON, nested too deeply, or a name is repeated"
        raise JwsRefused(msg) from error
    if not isinstance(value, dict):
        msg = "not a JSON object"
        raise JwsRefused(msg)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # two readers might believe two different ones
        msg = "a name is repeated"
        raise ValueError(msg)
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def verified_payload(jws: Jws, key: PublicJwk) -> bytes:
    """Return what ``key`` signed; raise ``JwsRefused``."""
    if jws.algorithm not in key.algorithms:
        msg = "the key is not for this algorithm"
        raise JwsRefused(msg)
    if not _VERIFIERS[jws.algorithm].verify(jws.signed, key.public, jws.signature):
        msg = "the signature does not verify"
        raise JwsRefused(msg)
    return jws.payload


def verified_claims(jws: Jws, key: PublicJwk) -> dict[str, Any]:
    """Return the claims, signed by ``key``; raise ``JwsRefused``."""
    return json_object(verified_payload(jws, key))
