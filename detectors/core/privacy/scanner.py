"""Finding values of data classes in a line's bytes, in time linear in its length."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import re2

from detectors.core.privacy.checks import CHECKS
from detectors.core.privacy.definitions import byte_options
from detectors.models.privacy import DataClass, Neighbours

_DIGITS: Final = frozenset(b"0123456789")
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ALPHABETS: Final[dict[Neighbours, frozenset[int]]] = {
    "any": frozenset(),
    "digits": _DIGITS,
    "alphanumeric": _DIGITS | _LETTERS,
    "base64url": _DIGITS | _LETTERS | frozenset(b"-_"),
}
_SEPARATORS: Final = b" -"
_ANCHORS: Final = re.compile(rb"(?<!\[)\^|\$|\\[AzQ]")
"""What asks, or may ask, where a pattern's text begins or ends. A word's edge is none of these: LF
is no part of a word, as nothing is."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A value of ``data_class`` at ``start`` to ``end`` (exclusive) of the line."""

    data_class: DataClass
    start: int
    end: int


class Scanner:
    """Finds the values of some classes. Safe in any number of threads.

    One joint pattern says first whether anything can be there: most lines end with it.
    """

    def __init__(self, classes: Sequence[DataClass]) -> None:
        self.classes = tuple(classes)
        options = byte_options()
        self._patterns = [
            (each, re2.compile(pattern, options)) for each in classes for pattern in each.patterns
        ]
        joint = b"|".join(b"(?:" + p + b")" for each in classes for p in each.patterns)
        self._joint = re2.compile(joint, options) if joint else None
        self._alone = _ANCHORS.search(joint) is not None

    def find(self, line: bytes) -> list[Hit]:
        """Return what is found, by place; where two classes fit, the earlier class counts."""
        if self._joint is None or self._joint.search(line) is None:
            return []
        taken = bytearray(len(line))
        hits = []
        for data_class, pattern in self._patterns:
            for start, end in _values(line, data_class, pattern):
                if not any(taken[start:end]):
                    taken[start:end] = b"\1" * (end - start)
                    hits.append(Hit(data_class, start, end))
        return sorted(hits, key=lambda hit: hit.start)

    def suspects(self, lines: Sequence[bytes]) -> Collection[int]:
        """Return which of ``lines`` may hold something: in all others ``find`` finds nothing.

        They are searched as one text, for asking takes longer than searching a line. What is found
        there begins in the first line that holds something, or in one before it: none is missed.
        """
        if self._joint is None:
            return ()
        if self._alone:
            return range(len(lines))
        text = b"\n".join(lines)
        ends = list(accumulate(len(line) + 1 for line in lines))
        found: set[int] = set()
        at = 0
        while at < len(text) and (match := self._joint.search(text, at)) is not None:
            number = bisect_right(ends, match.start())
            found.add(number)
            at = ends[number]
        return found


def _values(line: bytes, data_class: DataClass, pattern: Any) -> Iterator[tuple[int, int]]:
    """Yield the places of values that stand alone and whose check is right."""
    alphabet = _ALPHABETS[data_class.neighbours]
    group = pattern.groups
    at = 0
    while (found := pattern.search(line, at)) is not None:
        start, end = found.span(group)
        if _stands_alone(line, start, end, alphabet):
            if _is_right(line[start:end], data_class):
                yield start, end
            at = end
        else:
            # no value can begin inside the run this one is a part of
            at = _end_of_run(line, start, alphabet)


def _stands_alone(line: bytes, start: int, end: int, alphabet: frozenset[int]) -> bool:
    before = start > 0 and line[start - 1] in alphabet
    after = end < len(line) and line[end] in alphabet
    return not before and not after


def _end_of_run(line: bytes, start: int, alphabet: frozenset[int]) -> int:
    end = start + 1
    while end < len(line) and line[end] in alphabet:
        end += 1
    return end


def _is_right(value: bytes, data_class: DataClass) -> bool:
    check = CHECKS.get(data_class.check)
    return check is None or check(canonical_value(value))


def canonical_value(value: bytes) -> str:
    """Return a value as it is checked and digested: upper case, without separators."""
    return value.translate(None, _SEPARATORS).decode("latin-1").upper()
