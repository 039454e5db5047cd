"""Limits on what a request may be: size, depth, number of fields."""

from __future__ import annotations

from typing import Final

from secops.kernel.errors import Invalid

MAX_BODY: Final = 1 << 20
"""Bytes of a body, unless its route allows more."""
MAX_FIELDS: Final = 1_000
MAX_JSON_DEPTH: Final = 32
_OPEN: Final = frozenset(b"[{")
_CLOSE: Final = frozenset(b"]}")
_QUOTE: Final = ord('"')
_ESCAPE: Final = ord("\\")


def check_json_depth(body: bytes, limit: int) -> None:
    """Raise ``Invalid`` if JSON ``body`` nests deeper than ``limit``.

    Most bodies can't: they hold fewer opening brackets than that, which one count tells.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return
    depth = 0
    inside = escaped = False
    for byte in body:
        if inside:
            if escaped:
                escaped = False
            elif byte == _ESCAPE:
                escaped = True
            elif byte == _QUOTE:
                inside = False
        elif byte == _QUOTE:
            inside = True
        elif byte in _OPEN:
            depth += 1
            if depth > limit:
                msg = f"JSON nested deeper than {limit}"
                raise Invalid(msg)
        elif byte in _CLOSE:
            depth -= 1
