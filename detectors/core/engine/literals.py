"""Many literals in many texts, in one pass of an Aho-Corasick automaton (Aho & Corasick 1975).

Texts are laid end to end in blocks, so that Python is entered once per block and not once per
text; what lies across two texts is no match. Memory stays bounded whatever a text holds: a
block has at most 256 Ki characters, and longer texts are read in windows that overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import ahocorasick_rs
import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_MIN_LITERAL: Final = 2
_BLOCK: Final = 1 << 18


def is_short(literal: str) -> bool:
    """Tell whether ``literal`` (one ASCII character, or none) occurs too often to be listed."""
    return len(literal.encode()) < _MIN_LITERAL


@dataclass(frozen=True, slots=True)
class Places:
    """Where literals were found: literal, text, and whether at its start and at its end."""

    literals: Numbers
    texts: Numbers
    at_start: Flags
    at_end: Flags


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Texts, or windows of long ones: ``first`` and ``last`` mark those at a text's ends."""

    contents: list[bytes]
    texts: Numbers
    first: Flags
    last: Flags


class Literals:
    """Finds ``literals``, none of which ``is_short``; texts are read in blocks of bytes."""

    def __init__(self, literals: Sequence[str], block: int = _BLOCK) -> None:
        self._block = block
        encoded = [literal.encode() for literal in literals]
        self._overlap = max(map(len, encoded), default=1)
        self._automaton = ahocorasick_rs.BytesAhoCorasick(
            encoded, implementation=ahocorasick_rs.Implementation.ContiguousNFA
        )

    def find(self, texts: Sequence[str]) -> Iterator[Places]:
        """Yield the places of all literals in ``texts`` (folded), block by block."""
        pieces = self._pieces([text.encode() for text in texts])
        lengths = np.fromiter(map(len, pieces.contents), np.int64, len(pieces.contents))
        ends = np.cumsum(lengths)
        start = 0
        while start < len(ends):
            before = int(ends[start - 1]) if start else 0
            stop = int(np.searchsorted(ends, before + self._block, side="right"))
            stop = max(stop, start + 1)
            yield from self._find(pieces, slice(start, stop), ends[start:stop] - before)
            start = stop

    def find_in(self, text: str) -> Iterator[tuple[int, bool, bool]]:
        """Yield the literals in one ``text`` (folded): which, whether at its start, at its end."""
        content = text.encode()
        if len(content) > self._block:
            for places in self.find([text]):
                each = (places.literals, places.at_start, places.at_end)
                yield from zip(*(part.tolist() for part in each), strict=True)
            return
        length = len(content)
        for literal, start, end in self._automaton.find_matches_as_indexes(
            content, overlapping=True
        ):
            yield literal, start == 0, end == length

    def _pieces(self, contents: list[bytes]) -> _Pieces:
        if max(map(len, contents), default=0) <= self._block:
            whole = np.ones(len(contents), dtype=np.bool_)
            return _Pieces(contents, np.arange(len(contents), dtype=np.int64), whole, whole)
        cut = [
            (piece, number, first, last)
            for number, content in enumerate(contents)
            for piece, first, last in _windows(content, self._block, self._overlap)
        ]
        return _Pieces(
            [each[0] for each in cut],
            np.array([each[1] for each in cut], dtype=np.int64),
            np.array([each[2] for each in cut], dtype=np.bool_),
            np.array([each[3] for each in cut], dtype=np.bool_),
        )

    def _find(self, pieces: _Pieces, block: slice, ends: Numbers) -> Iterator[Places]:
        joined = b"".join(pieces.contents[block])
        found = self._automaton.find_matches_as_indexes(joined, overlapping=True)
        if not found:
            return
        flat = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
        owners = np.searchsorted(ends, flat[:, 1], side="right")
        inside = flat[:, 2] <= ends[owners]  # the others lie across two texts
        flat, owners = flat[inside], owners[inside]
        begins = np.concatenate(([0], ends[:-1]))
        yield Places(
            flat[:, 0],
            pieces.texts[block][owners],
            (flat[:, 1] == begins[owners]) & pieces.first[block][owners],
            (flat[:, 2] == ends[owners]) & pieces.last[block][owners],
        )


def _windows(content: bytes, block: int, overlap: int) -> Iterator[tuple[bytes, bool, bool]]:
    step = max(block, 2 * overlap)
    start, last = 0, False
    while not last:
        end = start + step + overlap
        last = end >= len(content)
        yield content[start:end], start == 0, last
        start += step
