"""Text conditions of temporal correlations (``a and not (b or c)``) in disjunctive form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.correlation.model import Alternative

MAX_TEXT: Final = 2_000
MAX_DEPTH: Final = 20
MAX_ALTERNATIVES: Final = 64
_WORD: Final = re.compile(r"\s*([()]|[^\s()]+)")
_RESERVED: Final = frozenset({"and", "or", "not", "(", ")"})

Ways = tuple[Alternative, ...]


class BadCondition(ValueError):
    """A text condition that can't be understood."""


def rules_named(text: str) -> tuple[str, ...]:
    """Return the rules that ``text`` names, in order of appearance."""
    return tuple(dict.fromkeys(word for word in _words(text) if word not in _RESERVED))


def read_condition(text: str, rules: Sequence[str]) -> Ways:
    """Return the ways in which ``text`` holds, as masks over ``rules``; raise ``BadCondition``.

    not binds closer than and, and closer than or. Every rule must be named.
    """
    named = rules_named(text)
    for unknown in (name for name in named if name not in rules):
        msg = f"the condition names {unknown}, which is not among the rules"
        raise BadCondition(msg)
    for left in (name for name in rules if name not in named):
        msg = f"the condition does not name {left}"
        raise BadCondition(msg)
    reader = _Reader(_words(text), rules)
    ways = _shortest(reader.read())
    everything = (1 << len(rules)) - 1
    possible = tuple(way for way in ways if way.forbidden != everything)
    if not possible:
        msg = "the condition can never hold"
        raise BadCondition(msg)
    return possible


def _words(text: str) -> list[str]:
    if len(text) > MAX_TEXT:
        msg = f"the condition is longer than {MAX_TEXT} characters"
        raise BadCondition(msg)
    return _WORD.findall(text)


@dataclass(slots=True)
class _Reader:
    """Recursive descent; ``negated`` turns and into or as it goes down (De Morgan)."""

    words: list[str]
    rules: Sequence[str]
    place: int = 0

    def read(self) -> Ways:
        ways = self._either(0, negated=False)
        if self.place < len(self.words):
            msg = f"unexpected {self.words[self.place]!r} in the condition"
            raise BadCondition(msg)
        return ways

    def _peek(self) -> str:
        return self.words[self.place] if self.place < len(self.words) else ""

    def _either(self, depth: int, *, negated: bool) -> Ways:
        ways = self._both(depth, negated=negated)
        while self._peek() == "or":
            self.place += 1
            other = self._both(depth, negated=negated)
            ways = _together(ways, other) if negated else _bounded((*ways, *other))
        return ways

    def _both(self, depth: int, *, negated: bool) -> Ways:
        ways = self._one(depth, negated=negated)
        while self._peek() == "and":
            self.place += 1
            other = self._one(depth, negated=negated)
            ways = _bounded((*ways, *other)) if negated else _together(ways, other)
        return ways

    def _one(self, depth: int, *, negated: bool) -> Ways:
        if depth > MAX_DEPTH:
            msg = f"the condition is nested deeper than {MAX_DEPTH}"
            raise BadCondition(msg)
        word = self._peek()
        self.place += 1
        if word == "not":
            return self._one(depth + 1, negated=not negated)
        if word == "(":
            ways = self._either(depth + 1, negated=negated)
            if self._peek() != ")":
                msg = "a parenthesis of the condition is not closed"
                raise BadCondition(msg)
            self.place += 1
            return ways
        if not word or word in _RESERVED:
            msg = f"the condition lacks a rule before {word or 'its end'!r}"
            raise BadCondition(msg)
        mask = sum(1 << place for place, name in enumerate(self.rules) if name == word)
        return (Alternative(0, mask) if negated else Alternative(mask),)


def _together(left: Ways, right: Ways) -> Ways:
    joined = (Alternative(a.required | b.required, a.forbidden | b.forbidden)
              for a in left for b in right)  # fmt: skip
    return _bounded(way for way in joined if not way.required & way.forbidden)


def _bounded(ways: Iterable[Alternative]) -> Ways:
    found = tuple(dict.fromkeys(ways))
    if len(found) > MAX_ALTERNATIVES:
        msg = f"the condition holds in more than {MAX_ALTERNATIVES} ways"
        raise BadCondition(msg)
    return found


def _shortest(ways: Ways) -> Ways:
    """Leave out ways that another one covers."""

    def covered(way: Alternative) -> bool:
        return any(
            other != way
            and other.required & ~way.required == 0
            and other.forbidden & ~way.forbidden == 0
            for other in ways
        )

    return tuple(way for way in ways if not covered(way))
