"""Tiles (https://c2sp.org/tlog-tiles): the tree as immutable files of 256 hashes.

The hashes of a tile of level L are complete subtrees of tree level 8·L. A partial tile has
fewer, its width stands in its path, and it is never empty. Entry bundles hold the records
themselves, each after its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audits.errors import MalformedProof

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
MAX_LEVEL: Final = 7
_LENGTH_BYTES: Final = 2
_NUMBER: Final = re.compile(r"(?:x\d{3}/){0,5}\d{3}", re.ASCII)
_WIDTH: Final = re.compile(r"[1-9]\d{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """Tile ``index`` of ``level``, None for an entry bundle; ``width`` hashes or entries."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def first(self) -> int:
        """The index of its first hash within the tree level, or of its first entry."""
        return self.index * TILE_WIDTH

    @property
    def tree_level(self) -> int:
        """The level of its hashes in the tree (leaves are 0)."""
        return (self.level or 0) * TILE_HEIGHT


def tile_width(level: int | None, index: int, size: int) -> int:
    """Return how many hashes tile ``index`` of ``level`` has in a tree of ``size``: 0 to 256."""
    hashes = size >> (TILE_HEIGHT * (level or 0))
    return max(0, min(TILE_WIDTH, hashes - index * TILE_WIDTH))


def tile_path(tile: Tile) -> str:
    """Return the path below ``/tile/``, e.g. ``0/x001/x234/067.p/8`` or ``entries/000``."""
    groups = []
    rest = tile.index
    while True:
        rest, group = divmod(rest, 1000)
        groups.append(f"{group:03d}")
        if not rest:
            break
    number = "/".join([*(f"x{group}" for group in reversed(groups[1:])), groups[0]])
    level = "entries" if tile.level is None else str(tile.level)
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"{level}/{number}{partial}"


def parse_tile(path: str) -> Tile:
    """Read a path below ``/tile/``; raise ``MalformedProof`` unless it is canonical."""
    level_text, _, rest = path.partition("/")
    number, partial, width_text = rest.partition(".p/")
    if not _NUMBER.fullmatch(number) or (partial and not _WIDTH.fullmatch(width_text)):
        msg = "this is not the path of a tile"
        raise MalformedProof(msg)
    level = None if level_text == "entries" else _level(level_text)
    index = int(number.replace("/", "").replace("x", ""))
    tile = Tile(level, index, int(width_text) if partial else TILE_WIDTH)
    if tile_path(tile) != path:
        msg = "the tile's path is not canonical"
        raise MalformedProof(msg)
    return tile


def _level(text: str) -> int:
    if len(text) != 1 or text not in "01234567":
        msg = f"a tile's level is 0 to {MAX_LEVEL}"
        raise MalformedProof(msg)
    return int(text)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile and entry bundle of a tree of ``size`` leaves, partial ones last."""
    for level in (None, *range(MAX_LEVEL + 1)):
        index = 0
        while width := tile_width(level, index, size):
            yield Tile(level, index, width)
            index += 1


def encode_entries(records: Sequence[bytes]) -> bytes:
    """Return the entry bundle of ``records``."""
    return b"".join(len(record).to_bytes(_LENGTH_BYTES, "big") + record for record in records)


def parse_entries(bundle: bytes) -> list[bytes]:
    """Return the records of an entry bundle; raise ``MalformedProof`` if it is cut short."""
    records = []
    place = 0
    while place < len(bundle):
        start = place + _LENGTH_BYTES
        place = start + int.from_bytes(bundle[start - _LENGTH_BYTES : start], "big")
        if place > len(bundle) or start > len(bundle):
            msg = "the entry bundle is cut short"
            raise MalformedProof(msg)
        records.append(bundle[start:place])
    if len(records) > TILE_WIDTH:
        msg = f"an entry bundle has at most {TILE_WIDTH} entries"
        raise MalformedProof(msg)
    return records
