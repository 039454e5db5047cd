"""The text that a page's content stream shows, token by token (ISO 32000-1, 7.3.4, 9.4.3).

Only operands count: what stands in dictionaries (``Alt``, ``ActualText``) is not on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_TOKEN: Final = re.compile(
    rb"(?P<open><<)|(?P<close>>>)|<(?P<digits>[0-9A-Fa-f]*)>|(?P<literal>\()"
    rb"|/(?P<font>[A-Za-z0-9_.+-]{1,64}) -?[\d.]{1,16} Tf"
)
_NESTING: Final = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_ESCAPED: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def shown_text(data: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> str:
    """Return what a content stream shows; ``fonts`` map glyphs of two bytes to characters."""
    font: Mapping[int, str] = {}
    shown: list[str] = []
    for kind, content in _tokens(data):
        if kind == "font":
            font = fonts.get(content, {})
        else:
            shown += letters(content, font)
    return "".join(shown)


def letters(codes: bytes, font: Mapping[int, str]) -> list[str]:
    """Return the characters that glyphs of two bytes show; U+FFFD for one the font has not."""
    glyphs = (int.from_bytes(codes[at : at + 2], "big") for at in range(0, len(codes), 2))
    return [font.get(glyph, "\ufffd") for glyph in glyphs]


def literal_bytes(escaped: bytes) -> bytes:
    """Return the bytes of a literal string (ISO 32000-1, 7.3.4.2)."""

    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1].isdigit():
            return bytes([int(code, 8) & 0xFF])
        return _ESCAPED.get(code, b"" if code in (b"\r\n", b"\n", b"\r") else code)

    return _ESCAPE.sub(one, escaped)


def hexadecimal_bytes(digits: bytes) -> bytes:
    """Return the bytes of a hexadecimal string (ISO 32000-1, 7.3.4.3)."""
    return bytes.fromhex(digits.decode() + "0" * (len(digits) % 2))


def _tokens(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each font that is chosen and each string that is shown."""
    place = depth = 0
    while found := _TOKEN.search(data, place):
        place, kind = found.end(), str(found.lastgroup)
        if kind in ("open", "close"):
            depth += 1 if kind == "open" else -1
            continue
        content = found[kind]
        if kind == "literal":
            end = _literal_end(data, place)
            content, place = literal_bytes(data[place:end]), end + 1
        elif kind == "digits":
            content = hexadecimal_bytes(content)
        if depth == 0:
            yield kind, content


def _literal_end(data: bytes, start: int) -> int:
    """Return where the literal string whose content begins at ``start`` is closed."""
    depth = 1
    for found in _NESTING.finditer(data, start):
        depth += {b"(": 1, b")": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return len(data)
