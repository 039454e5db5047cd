"""Everything that is asked about one field, decided once per distinct value.

All literals of a field are found in one pass of an Aho–Corasick automaton over the folded
value (Aho & Corasick 1975); equality is a dictionary; what remains (regular expressions,
networks, numbers) runs on distinct values only, where possible behind a literal that every
match must contain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import ahocorasick_rs

from detectors.core.engine.columns import Index
from detectors.core.engine.questions import Predicate, predicate
from detectors.core.events.text import fold
from detectors.core.sigma.regex import required_literal
from detectors.core.sigma.tree import Absent, Atom, Pattern, Present, Reference, Regex, Text

Hits = dict[int, set[int]]

_ANYWHERE: Final = 0
_AT_START: Final = 1
_AT_END: Final = 2
_ASK: Final = 3
_PLACES: Final = {"contains": _ANYWHERE, "startswith": _AT_START, "endswith": _AT_END}
_MIN_LITERAL: Final = 2


class FieldProgram:
    """The questions about one field; atoms are known by number."""

    def __init__(self, atoms: Sequence[tuple[int, Atom]]) -> None:
        self.present: list[int] = []
        self.absent: list[int] = []
        self._equals: dict[str, list[int]] = defaultdict(list)
        self._always: list[tuple[int, Predicate]] = []
        self._if_not_ascii: list[tuple[int, Predicate]] = []
        literals: dict[str, list[tuple[int, int, Predicate | None]]] = defaultdict(list)
        for number, atom in atoms:
            self._add(number, atom, literals)
        self._uses = list(literals.values())
        self._automaton = ahocorasick_rs.AhoCorasick(list(literals)) if literals else None

    def _add(
        self,
        number: int,
        atom: Atom,
        literals: dict[str, list[tuple[int, int, Predicate | None]]],
    ) -> None:
        if isinstance(atom, Present):
            self.present.append(number)
        elif isinstance(atom, Absent):
            self.absent.append(number)
        elif isinstance(atom, Text) and not atom.cased:
            if atom.operation == "equals":
                self._equals[atom.literal].append(number)
            else:
                literals[atom.literal].append((_PLACES[atom.operation], number, None))
        elif not isinstance(atom, Reference):
            ask = predicate(atom)
            literal, exact = _guard(atom)
            if len(literal) < _MIN_LITERAL:
                self._always.append((number, ask))
                return
            literals[literal].append((_ASK, number, ask))
            if not exact:
                self._if_not_ascii.append((number, ask))

    def decide(self, index: Index) -> Hits:
        """Return which codes of ``index`` each atom holds for; atoms without any are left out."""
        hits: Hits = defaultdict(set)
        texts, owners = index.texts()
        folded = list(map(fold, texts))
        self._find_literals(texts, folded, owners, hits)
        if self._equals:
            get = self._equals.get
            for owner, text in zip(owners, folded, strict=True):
                for number in get(text, ()):
                    hits[number].add(owner)
        for number, ask in self._always:
            found = {owner for owner, text in zip(owners, texts, strict=True) if ask(text)}
            if found:
                hits[number] |= found
        if self._if_not_ascii:
            others = [(o, t) for o, t in zip(owners, texts, strict=True) if not t.isascii()]
            for number, ask in self._if_not_ascii:
                found = {owner for owner, text in others if ask(text)}
                if found:
                    hits[number] |= found
        everything = set(range(len(index.values)))
        for number in self.present:
            hits[number] = everything
        return hits

    def _find_literals(
        self, texts: list[str], folded: list[str], owners: Sequence[int], hits: Hits
    ) -> None:
        if self._automaton is None:
            return
        find, uses = self._automaton.find_matches_as_indexes, self._uses
        for owner, text, shadow in zip(owners, texts, folded, strict=True):
            length = len(shadow)
            for literal, start, end in find(shadow, overlapping=True):
                for place, number, ask in uses[literal]:
                    if place == _ASK:
                        if ask is not None and owner not in hits[number] and ask(text):
                            hits[number].add(owner)
                    elif place == _ANYWHERE or (
                        start == 0 if place == _AT_START else end == length
                    ):
                        hits[number].add(owner)


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
