"""A search filter from its string form (RFC 4515) to BER (RFC 4511 §4.5.1.7).

``&``, ``|``, ``!``, equality and presence: what a sign-in needs. A value's escapes are read
here and nowhere else, so an escaped parenthesis can't become structure.
"""

from __future__ import annotations

import re
from typing import Final

from iam.core.rfc4511.ber import element, octets
from iam.errors import UpstreamInvalid

_AND: Final = 0xA0
_OR: Final = 0xA1
_NOT: Final = 0xA2
_EQUALS: Final = 0xA3
_PRESENT: Final = 0x87
_ITEM: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9.;-]{0,63})=((?:[^\\*()\x00]|\\[0-9a-fA-F]{2})*)", re.ASCII
)
_PRESENCE: Final = re.compile(r"([A-Za-z][A-Za-z0-9.;-]{0,63})=\*", re.ASCII)
_ESCAPE: Final = re.compile(rb"\\([0-9a-fA-F]{2})")
_LISTS: Final = {"&": _AND, "|": _OR}
_DEEPEST: Final = 8


def encode_filter(text: str) -> bytes:
    """Return ``text`` in BER; raise ``UpstreamInvalid`` for what is no filter of ours."""
    encoded, rest = _one(text, _DEEPEST)
    if rest:
        raise _invalid()
    return encoded


def _one(text: str, depth: int) -> tuple[bytes, str]:
    if not text.startswith("(") or depth == 0:
        raise _invalid()
    mark = text[1:2]
    if mark in _LISTS:
        parts, rest = _several(text[2:], depth - 1)
        return element(_LISTS[mark], b"".join(parts)), rest
    if mark == "!":
        inner, rest = _one(text[2:], depth - 1)
        return element(_NOT, inner), _closed(rest)
    return _item(text[1:])


def _several(text: str, depth: int) -> tuple[list[bytes], str]:
    parts = []
    while text.startswith("("):
        part, text = _one(text, depth)
        parts.append(part)
    if not parts:
        raise _invalid()
    return parts, _closed(text)


def _item(text: str) -> tuple[bytes, str]:
    present = _PRESENCE.match(text)
    if present is not None:
        return element(_PRESENT, present[1].encode()), _closed(text[present.end() :])
    equal = _ITEM.match(text)
    if equal is None:
        raise _invalid()
    value = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), equal[2].encode())
    content = octets(equal[1].encode()) + octets(value)
    return element(_EQUALS, content), _closed(text[equal.end() :])


def _closed(text: str) -> str:
    if not text.startswith(")"):
        raise _invalid()
    return text[1:]


def _invalid() -> UpstreamInvalid:
    return UpstreamInvalid("the search filter can't be read")
