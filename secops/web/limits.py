"""Limits on what a request may be: size, depth, number of fields."""

from __future__ import annotations

import re
from typing import Final

from secops.kernel.errors import Invalid

MAX_BODY: Final = 1 << 20
"""Bytes of a body, unless its route allows more."""
FRAMING: Final = 64 << 10
"""Bytes of a body beside the file in it: other fields, headers of parts, names of JSON."""
MAX_FIELDS: Final = 1_000
MAX_JSON_DEPTH: Final = 32
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_OTHERS: Final = bytes(set(range(256)) - set(b"[]{}"))


def check_json_depth(body: bytes, limit: int) -> None:
    """Raise ``Invalid`` if JSON ``body`` nests deeper than ``limit``.

    Most bodies can't: they hold fewer opening brackets than that, which one count tells.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return
    depth = 0
    for bracket in _outside_strings(body).translate(None, _OTHERS):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            msg = f"JSON nested deeper than {limit}"
            raise Invalid(msg)


def _outside_strings(body: bytes) -> bytes:
    """Return ``body`` without its strings; a pattern, a hundred times slower, only for escapes."""
    return _STRING.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])
