"""One thing out of a file that may be PEM (RFC 7468) or DER."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from secops.kernel.errors import Invalid, TooLarge

MAX_FILE: Final = 8 << 20
_DER: Final = b"\x30"


def read_one(content: bytes, label: str) -> bytes:
    """Return the DER in ``content``: as it is, or out of the one PEM block ``label``.

    Raises ``Invalid`` for none or several, ``TooLarge``.
    """
    if len(content) > MAX_FILE:
        msg = f"a file is at most {MAX_FILE >> 20} MiB"
        raise TooLarge(msg)
    if content.startswith(_DER):
        return content
    begin, end = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    _, found, rest = content.partition(begin)
    block, closed, after = rest.partition(end)
    if not found or not closed or begin in after:
        msg = f"the file holds no {label} in DER, and not exactly one in PEM"
        raise Invalid(msg)
    try:
        return base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error as error:
        msg = f"the {label} in PEM is not Base64"
        raise Invalid(msg) from error
