"""Opaque references that travel through a browser: what was begun, signed and with an end."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final

import orjson

from iam.core.base64url import decode, encode
from iam.errors import TokenRefused
from iam.service.means import Means

MAX_REFERENCE: Final = 6_000
_MAC_BYTES: Final = 32


def write_reference(means: Means, purpose: str, content: Mapping[str, Any], lifetime: int) -> str:
    """Return ``content`` as a reference of ``purpose`` that ends after ``lifetime`` µs."""
    body = orjson.dumps({**content, "until": means.now + lifetime})
    return encode(means.keys.mac(f"reference/{purpose}", body) + body)


def read_reference(means: Means, purpose: str, reference: str) -> dict[str, Any]:
    """Return the content; raise ``TokenRefused`` if it is not ours, altered or too old."""
    try:
        if len(reference) > MAX_REFERENCE:
            raise ValueError  # noqa: TRY301 - one refusal for every defect
        whole = decode(reference)
        mac, body = whole[:_MAC_BYTES], whole[_MAC_BYTES:]
        if not hmac.compare_digest(mac, means.keys.mac(f"reference/{purpose}", body)):
            raise ValueError  # noqa: TRY301
        content: dict[str, Any] = orjson.loads(body)
    except ValueError as error:
        msg = "the reference is not one of ours"
        raise TokenRefused(msg) from error
    if content["until"] <= means.now:
        msg = "it took too long; start again"
        raise TokenRefused(msg)
    return content
