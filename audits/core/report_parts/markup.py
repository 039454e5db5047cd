"""Parts of a report in HTML: the elements marked ``data-item``, and what stands under headings."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from typing import Final

from audits.core.report_parts.parts import Part, part

_ITEM: Final = re.compile(
    rb'<([a-zA-Z]{1,16})\b[^<>]{0,2000}?\bdata-item="([^"<>]{1,80})"[^<>]{0,2000}>'
)
_HEADING: Final = re.compile(rb"<h[1-4]\b[^<>]{0,2000}>(.{0,400}?)</h[1-4]>", re.DOTALL)
_TAG: Final = re.compile(rb"<[^<>]{0,4000}>")
_COMMENT: Final = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_NAMED: Final = re.compile(rb"data-item\W{1,6}([A-Za-z0-9_.-]{1,80})")
_LONGEST_ELEMENT: Final = 1 << 20


def html_parts(content: bytes, ids: Collection[str]) -> list[Part]:
    """Return the parts of a page; it is cut by its bytes, so every byte is in one part."""
    parts: list[Part] = []
    start, heading = 0, "top"
    for begin, end, item in _elements(content):
        heading = _between(content[start:begin], heading, parts, ids)
        parts.append(_part(f"item {item}", content[begin:end], (item,) if item in ids else ()))
        start = end
    _between(content[start:], heading, parts, ids)
    return parts


def _elements(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield begin, end and item of the outermost elements that are marked and no comment hides."""
    content = _COMMENT.sub(lambda found: b" " * len(found[0]), content)
    place = 0
    while found := _ITEM.search(content, place):
        place = _end(content, found)
        yield found.start(), place, found[2].decode(errors="replace")


def _end(content: bytes, found: re.Match[bytes]) -> int:
    """Return where the element ends: at its own closing tag, or after a MiB without one."""
    limit = min(len(content), found.end() + _LONGEST_ELEMENT)
    depth = 1
    for tag in re.compile(rb"<(/?)" + found[1] + rb"\b[^<>]{0,2000}>").finditer(
        content, found.end(), limit
    ):
        depth += -1 if tag[1] else 1
        if not depth:
            return tag.end()
    return limit


def _between(content: bytes, heading: str, parts: list[Part], ids: Collection[str]) -> str:
    """Add what stands between items, cut at headings; return the last heading.

    A style or a comment that is about an item names it.
    """
    start = 0
    for found in _HEADING.finditer(content):
        if found.start() > start:
            piece = content[start : found.start()]
            parts.append(_part(f"section {heading}", piece, _named(piece, ids)))
        start, heading = found.start(), _text(found[1]).decode(errors="replace")
    if len(content) > start:
        parts.append(_part(f"section {heading}", content[start:], _named(content[start:], ids)))
    return heading


def _named(piece: bytes, ids: Collection[str]) -> tuple[str, ...]:
    names = dict.fromkeys(name.decode() for name in _NAMED.findall(piece))
    return tuple(name for name in names if name in ids)


def _part(name: str, content: bytes, items: tuple[str, ...] = ()) -> Part:
    return part(name, _text(content), marks=content, items=items)


def _text(content: bytes) -> bytes:
    """Return what a reader sees: no tags, one space between words."""
    seen = html.unescape(_TAG.sub(b" ", content).decode(errors="replace"))
    return " ".join(seen.split()).encode(errors="replace")
