"""base64url without padding (RFC 7515 §2), read only in its one canonical form."""

from __future__ import annotations

import binascii
from typing import Final

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
"""The other alphabet's own characters become ones that no alphabet has."""


def encode(content: bytes) -> str:
    """Return ``content`` as base64url without padding."""
    text = binascii.b2a_base64(content, newline=False).translate(_URL_SAFE)
    return text.rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Return what ``text`` encodes; raise ValueError for any but the canonical form.

    Padding, foreign characters and set trailing bits would give one token several
    spellings, so what was read is written again and compared.
    """
    try:
        standard = text.encode("ascii").translate(_STANDARD)
        content = binascii.a2b_base64(standard + b"=" * (-len(text) % 4), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(text[:16]) from error
    except AttributeError as error:  # JSON holds a number where a text should stand
        msg = "no text"
        raise ValueError(msg) from error
    if encode(content) != text:
        raise ValueError(text[:16])
    return content
