"""Everything that is asked about one field, decided once per distinct value.

All literals of a field are found in one pass of an Aho–Corasick automaton over the folded
value (Aho & Corasick 1975); equality is a dictionary; what remains (regular expressions,
networks, numbers) runs on distinct values only, where possible behind a literal that every
match must contain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import ahocorasick_rs
import numpy as np

from detectors.core.engine.columns import Index, Rows
from detectors.core.engine.questions import Predicate, predicate
from detectors.core.events.text import fold
from detectors.core.sigma.regex import required_literal
from detectors.core.sigma.tree import Absent, Atom, Pattern, Present, Reference, Regex, Text

Hits = dict[int, Rows]
"""By atom: the codes for which it holds, ascending."""

_MIN_LITERAL: Final = 2


@dataclass(slots=True)
class _Uses:
    """Who waits for a literal: anywhere, at the start, at the end, or to be asked then."""

    anywhere: list[int] = field(default_factory=list)
    at_start: list[int] = field(default_factory=list)
    at_end: list[int] = field(default_factory=list)
    asks: list[tuple[int, Predicate]] = field(default_factory=list)


class FieldProgram:
    """The questions about one field; atoms are known by number."""

    def __init__(self, atoms: Sequence[tuple[int, Atom]]) -> None:
        self.present: list[int] = []
        self.absent: list[int] = []
        self._equals: dict[str, list[int]] = defaultdict(list)
        self._always: list[tuple[int, Predicate]] = []
        self._if_not_ascii: list[tuple[int, Predicate]] = []
        literals: dict[str, _Uses] = defaultdict(_Uses)
        for number, atom in atoms:
            self._add(number, atom, literals)
        self._uses = list(literals.values())
        self._asking = {n: use.asks for n, use in enumerate(self._uses) if use.asks}
        self._automaton = ahocorasick_rs.AhoCorasick(list(literals)) if literals else None

    def _add(self, number: int, atom: Atom, literals: dict[str, _Uses]) -> None:
        if isinstance(atom, Present):
            self.present.append(number)
        elif isinstance(atom, Absent):
            self.absent.append(number)
        elif isinstance(atom, Text) and not atom.cased:
            self._add_text(number, atom, literals)
        elif not isinstance(atom, Reference):
            ask = predicate(atom)
            literal, exact = _guard(atom)
            if len(literal) < _MIN_LITERAL:
                self._always.append((number, ask))
                return
            literals[literal].asks.append((number, ask))
            if not exact:
                self._if_not_ascii.append((number, ask))

    def _add_text(self, number: int, atom: Text, literals: dict[str, _Uses]) -> None:
        if atom.operation == "equals":
            self._equals[atom.literal].append(number)
        elif atom.operation == "contains":
            literals[atom.literal].anywhere.append(number)
        elif atom.operation == "startswith":
            literals[atom.literal].at_start.append(number)
        else:
            literals[atom.literal].at_end.append(number)

    def decide(self, index: Index) -> Hits:
        """Return which codes of ``index`` each atom holds for; atoms without any are left out."""
        texts, owners = index.texts()
        folded = list(map(fold, texts))
        asked: dict[int, set[int]] = defaultdict(set)
        hits = self._find_literals(texts, folded, owners, asked)
        self._find_equal(folded, owners, asked)
        for number, ask in self._always:
            asked[number].update(o for o, t in zip(owners, texts, strict=True) if ask(t))
        if self._if_not_ascii:
            others = [(o, t) for o, t in zip(owners, texts, strict=True) if not t.isascii()]
            for number, ask in self._if_not_ascii:
                asked[number].update(owner for owner, text in others if ask(text))
        for number, codes in asked.items():
            if codes:
                hits[number] = np.array(sorted(codes), dtype=np.int64)
        everything: Rows = np.arange(len(index.values), dtype=np.int64)
        for number in self.present:
            hits[number] = everything
        return hits

    def _find_equal(
        self, folded: list[str], owners: Sequence[int], asked: dict[int, set[int]]
    ) -> None:
        if self._equals:
            get = self._equals.get
            for owner, text in zip(owners, folded, strict=True):
                for number in get(text, ()):
                    asked[number].add(owner)

    def _find_literals(
        self,
        texts: list[str],
        folded: list[str],
        owners: Sequence[int],
        asked: dict[int, set[int]],
    ) -> Hits:
        """Run the automaton; per literal the owners are listed once for all who wait for it."""
        if self._automaton is None:
            return {}
        anywhere: dict[int, list[int]] = defaultdict(list)
        starts: dict[int, list[int]] = defaultdict(list)
        ends: dict[int, list[int]] = defaultdict(list)
        asking = self._asking
        find = self._automaton.find_matches_as_indexes
        for owner, text, shadow in zip(owners, texts, folded, strict=True):
            length = len(shadow)
            for literal, start, end in find(shadow, overlapping=True):
                anywhere[literal].append(owner)
                if start == 0:
                    starts[literal].append(owner)
                if end == length:
                    ends[literal].append(owner)
                if literal in asking:
                    _ask(asking[literal], owner, text, asked)
        hits: Hits = {}
        for place, waiting in ((anywhere, "anywhere"), (starts, "at_start"), (ends, "at_end")):
            for literal, found in place.items():
                _share(hits, getattr(self._uses[literal], waiting), found)
        return hits


def _ask(
    asks: list[tuple[int, Predicate]], owner: int, text: str, asked: dict[int, set[int]]
) -> None:
    for number, ask in asks:
        if owner not in asked[number] and ask(text):
            asked[number].add(owner)


def _share(hits: Hits, numbers: list[int], owners: list[int]) -> None:
    if numbers:
        codes = np.unique(np.array(owners, dtype=np.int64))
        for number in numbers:
            hits[number] = codes


def _guard(atom: Atom) -> tuple[str, bool]:
    """Return a folded literal that must occur where ``atom`` holds, and for which texts.

    Exact ones hold for every text. The others compare raw texts: folding a text that is not
    ASCII may compose away the literal, so such texts are always asked.
    """
    if isinstance(atom, Pattern):
        texts = [part for part in atom.parts if isinstance(part, str)]
        longest = max(texts, key=len, default="")
        return (longest, True) if not atom.cased else (_ascii(longest), False)
    if isinstance(atom, Text):
        return _ascii(atom.literal), False
    if isinstance(atom, Regex):
        return _ascii(required_literal(atom.pattern)), False
    return "", False


def _ascii(literal: str) -> str:
    return fold(literal) if literal.isascii() and "\r" not in literal else ""
