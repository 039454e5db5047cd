"""base64url without padding (RFC 7515 §2), read only in its one canonical form."""

from __future__ import annotations

import base64
import binascii


def encode(content: bytes) -> str:
    """Return ``content`` as base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return what ``text`` encodes; raise ValueError for any but the canonical form.

    Padding, foreign characters and set trailing bits would give one token several
    spellings, so what was read is written again and compared.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(text[:16]) from error
    if encode(content) != text:
        raise ValueError(text[:16])
    return content
