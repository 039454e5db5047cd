"""Markdown as far as a plan needs it: headings, paragraphs and lists. Everything else is text.

There is no HTML, link or picture in the result, so nothing of a document can act in a page: the
template escapes each text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

_HEADING: Final = re.compile(r"(#{1,6})\s+(\S.*?)\s*#*")
_BULLET: Final = re.compile(r"\s{0,9}[-*+]\s+(\S.*)")
_NUMBER: Final = re.compile(r"\s{0,9}\d{1,9}[.)、]\s*(\S.*)")
_STRESS: Final = re.compile(r"(\*\*|__)(\S(?:.{0,500}?\S)?)\1")

BlockKind = Literal["heading", "paragraph", "bullets", "numbers"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading of ``level`` 1 to 6, a paragraph, or a list; ``texts`` are its lines or items."""

    kind: BlockKind
    texts: tuple[str, ...]
    level: int = 0


def blocks_of(markdown: str) -> tuple[Block, ...]:
    """Return the blocks of a document, in order."""
    blocks: list[Block] = []
    kind: BlockKind | None = None
    for line in markdown.splitlines():
        found = _line(line)
        if found is None:
            kind = None
            continue
        if found.kind == kind and kind != "heading":
            blocks[-1] = Block(found.kind, (*blocks[-1].texts, *found.texts))
        else:
            blocks.append(found)
        kind = found.kind
    return tuple(blocks)


def _line(line: str) -> Block | None:
    if not line.strip():
        return None
    if heading := _HEADING.fullmatch(line):
        return Block("heading", (_plain(heading[2]),), len(heading[1]))
    if bullet := _BULLET.fullmatch(line):
        return Block("bullets", (_plain(bullet[1]),))
    if number := _NUMBER.fullmatch(line):
        return Block("numbers", (_plain(number[1]),))
    return Block("paragraph", (_plain(line.strip()),))


def _plain(text: str) -> str:
    return _STRESS.sub(r"\2", text)
