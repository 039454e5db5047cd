"""Refresh tokens: ``rt1.`` base64url(family 16 ‖ generation u32 ‖ MAC 32).

The MAC is over family, generation and a purpose under a key of the pool, so a successor can be
computed again, and a made-up token is refused without looking at any family.
"""

from __future__ import annotations

import hmac
import struct
from typing import Final

from iam.core.base64url import decode, encode
from iam.errors import InvalidGrant

PREFIX: Final = "rt1."
_PURPOSE: Final = b"secops refresh token v1"
_BODY: Final = struct.Struct(">16sI")
_MAC_BYTES: Final = 32
FAMILY_BYTES: Final = 16
_LENGTH: Final = len(PREFIX) + 70


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + body, "sha256")


def write_refresh_token(key: bytes, family: bytes, generation: int) -> str:
    """Return the token of ``generation`` in ``family`` (16 bytes)."""
    body = _BODY.pack(family, generation)
    return PREFIX + encode(body + _mac(key, body))


def read_refresh_token(key: bytes, token: str) -> tuple[bytes, int]:
    """Return family and generation; raise ``InvalidGrant`` unless the MAC is ours."""
    try:
        if not token.startswith(PREFIX) or len(token) != _LENGTH:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        content = decode(token.removeprefix(PREFIX))
    except ValueError as error:
        msg = "not a refresh token of ours"
        raise InvalidGrant(msg) from error
    body, mac = content[:-_MAC_BYTES], content[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, body)):
        msg = "not a refresh token of ours"
        raise InvalidGrant(msg)
    family, generation = _BODY.unpack(body)
    return family, generation
