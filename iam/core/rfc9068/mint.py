"""Writing JWTs: a pre-encoded header, orjson, and a signature turned from DER to r‖s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from iam.core.base64url import encode

_COORDINATE: Final = 32


def signing_input(header: str, claims: Mapping[str, Any]) -> bytes:
    """Return what is signed (RFC 7515 §5.1)."""
    return f"{header}.{encode(orjson.dumps(claims))}".encode("ascii")


def compact(signed: bytes, der_signature: bytes) -> str:
    """Return the token made of the signed part and its signature as r ‖ s.

    RFC 7518 §3.4 for ES256; SM2 signatures are written alike.
    """
    r, s = decode_dss_signature(der_signature)
    raw = r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")
    return f"{signed.decode('ascii')}.{encode(raw)}"
