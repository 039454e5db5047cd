"""Everything that is asked about one field, decided once per distinct value.

All literals of a field are found in one pass; equality is a dictionary; what remains (regular
expressions, networks, numbers) is put off: here it is only said for which values it *may*
hold, and it is asked where a rule depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from detectors.core.engine.columns import Rows, texts_with_owners
from detectors.core.engine.literals import Literals, Places
from detectors.core.engine.numbering import FieldImage
from detectors.core.engine.questions import Predicate, Question, predicate
from detectors.core.engine.references import HOLDS
from detectors.core.events.text import fold, texts_of
from detectors.core.sigma.tree_codec import decode_tree
from secops.kernel.logs import Value

_ASCII_PART = "\x00"


@dataclass(slots=True)
class Decided:
    """What holds for which codes: ``exact`` for good, ``may`` only perhaps. Codes ascend."""

    exact: dict[int, Rows] = field(default_factory=dict)
    may: dict[int, Rows] = field(default_factory=dict)


class FieldProgram:
    """The questions about one field; atoms are known by number."""

    def __init__(self, image: FieldImage) -> None:
        self.image = image
        self.absent = image.absent
        self._predicates: dict[int, Predicate] = {}

    @property
    def atoms(self) -> set[int]:
        """The numbers of all atoms."""
        image = self.image
        placed = {*image.anywhere, *image.at_start, *image.at_end, image.present, image.absent}
        others = {number for _, _, number in image.short}
        numbers = placed | others | set(image.equals.values()) | set(map(int, image.asked))
        return numbers - {-1}

    @property
    def within_lines(self) -> set[int]:
        """The atoms that can hold only where one of the literals is, which has no line end."""
        image = self.image
        plain = {n for n, literal in enumerate(image.literals) if "\n" not in literal}
        answers = (image.anywhere, image.at_start, image.at_end)
        found = {each[n] for each in answers for n in plain}
        found |= {number for n, number, exact in image.guards if exact and n in plain}
        return found - {-1}

    def asking(self, number: int) -> Predicate:
        """Return the predicate of an atom that is among ``may``; it is made once."""
        known = self._predicates.get(number)
        if known is None:
            atom: Question = decode_tree(self.image.asked[str(number)])  # type: ignore[assignment]
            known = self._predicates[number] = predicate(atom)
        return known

    def decide(self, values: Sequence[Value]) -> Decided:
        """Return for which of ``values``, by position, each atom holds; for none: left out."""
        image = self.image
        decided = Decided()
        everything: Rows = np.arange(len(values), dtype=np.int64)
        if len(everything):
            if image.present >= 0:
                decided.exact[image.present] = everything
            for number in image.unguarded:
                decided.may[number] = everything
        if image.literals or image.equals or image.short:
            texts, owners = texts_with_owners(values)
            folded = fold_all(texts)
            pairs = [*self._equal(folded), *self._short(folded), *self._found(folded)]
            pairs += self._unfoldable(texts)
            self._split(decided, pairs, np.asarray(owners, dtype=np.int64), len(values))
        return decided

    def ask(self, value: Value, held: set[int], may: set[int]) -> None:
        """Add the atoms that hold for one ``value``, and those that may: ``decide`` for one."""
        image = self.image
        if image.present >= 0:
            held.add(image.present)
        may.update(image.unguarded)
        for text in texts_of(value):
            if image.folding and not text.isascii():
                may.update(image.folding)
            if image.literals or image.equals or image.short:
                self._ask_folded(fold(text), held, may)

    def _ask_folded(self, folded: str, held: set[int], may: set[int]) -> None:
        image = self.image
        number = image.equals.get(folded)
        if number is not None:
            held.add(number)
        for operation, literal, number in image.short:
            if HOLDS[operation](folded, literal):
                held.add(number)
        if image.literals:
            for literal, at_start, at_end in self._automaton.find_in(folded):
                anywhere, start, end, guarded = self._answers[literal]
                held.add(anywhere)
                held.add(start if at_start else -1)
                held.add(end if at_end else -1)
                may.update(guarded)
            held.discard(-1)

    @cached_property
    def _automaton(self) -> Literals:
        return Literals(self.image.literals)

    @cached_property
    def _answers(self) -> list[tuple[int, int, int, tuple[int, ...]]]:
        """What each literal says: anywhere, at the start, at the end; and what it guards."""
        image = self.image
        guarded: dict[int, list[int]] = {}
        for literal, number, _ in image.guards:
            guarded.setdefault(literal, []).append(number)
        places = zip(image.anywhere, image.at_start, image.at_end, strict=True)
        return [(*at, tuple(guarded.get(n, ()))) for n, at in enumerate(places)]

    def words_of(self, texts: Sequence[str]) -> dict[int, frozenset[int]]:
        """Return which atoms' literals each of ``texts`` holds, by its number; most hold none."""
        answers = self._atoms_of_literals
        found: dict[int, frozenset[int]] = {}
        for places in self._places(fold_all(texts)):
            for literal, text in zip(places.literals.tolist(), places.texts.tolist(), strict=True):
                found[text] = found.get(text, frozenset()) | answers[literal]
        return found

    @cached_property
    def _atoms_of_literals(self) -> list[frozenset[int]]:
        return [frozenset((*at, *guarded)) - {-1} for *at, guarded in self._answers]

    def _places(self, folded: Sequence[str]) -> list[Places]:
        return list(self._automaton.find(folded)) if self.image.literals else []

    def _equal(self, folded: Sequence[str]) -> list[tuple[Rows, Rows]]:
        get = self.image.equals.get
        if not self.image.equals:
            return []
        found = [(n, at) for at, text in enumerate(folded) if (n := get(text)) is not None]
        return _pairs(found)

    def _short(self, folded: Sequence[str]) -> list[tuple[Rows, Rows]]:
        found: list[tuple[int, int]] = []
        for operation, literal, number in self.image.short:
            fits = HOLDS[operation]
            found += [(number, at) for at, text in enumerate(folded) if fits(text, literal)]
        return _pairs(found)

    def _found(self, folded: Sequence[str]) -> list[tuple[Rows, Rows]]:
        image = self.image
        pairs: list[tuple[Rows, Rows]] = []
        answers = [np.array(each) for each in (image.anywhere, image.at_start, image.at_end)]
        guards = np.array(image.guards, dtype=np.int64).reshape(-1, 3)
        for places in self._places(folded):
            everywhere = np.ones(len(places.texts), dtype=np.bool_)
            flags = (everywhere, places.at_start, places.at_end)
            for numbers, flag in zip(answers, flags, strict=True):
                atoms = numbers[places.literals]
                wanted = flag & (atoms >= 0)
                pairs.append((atoms[wanted], places.texts[wanted]))
            for literal in np.intersect1d(guards[:, 0], places.literals):
                texts = places.texts[places.literals == literal]
                waiting = guards[guards[:, 0] == literal, 1]
                pairs.append((np.repeat(waiting, len(texts)), np.tile(texts, len(waiting))))
        return pairs

    def _unfoldable(self, texts: Sequence[str]) -> list[tuple[Rows, Rows]]:
        if not self.image.folding:
            return []
        others = np.array([n for n, t in enumerate(texts) if not t.isascii()], dtype=np.int64)
        return [
            (np.full(len(others), number, dtype=np.int64), others) for number in self.image.folding
        ]

    def _split(
        self, decided: Decided, pairs: list[tuple[Rows, Rows]], owners: Rows, values: int
    ) -> None:
        """Sort (atom, text) pairs into the codes of each atom."""
        if not pairs:
            return
        width = values + 1
        keys = np.concatenate([atoms * width + owners[texts] for atoms, texts in pairs])
        keys = np.unique(keys)
        if not len(keys):
            return
        atoms, codes = keys // width, keys % width
        starts = np.flatnonzero(np.concatenate(([True], atoms[1:] != atoms[:-1])))
        ends = [*starts[1:].tolist(), len(keys)]
        asked = self.image.asked
        for number, start, end in zip(atoms[starts].tolist(), starts.tolist(), ends, strict=True):
            target = decided.may if str(number) in asked else decided.exact
            target[number] = codes[start:end]


def fold_all(texts: Sequence[str]) -> list[str]:
    """Return every text folded; together where they are plain ASCII."""
    joined = _ASCII_PART.join(texts)
    if joined.isascii() and "\r" not in joined:
        folded = joined.lower().split(_ASCII_PART)
        if len(folded) == len(texts):
            return folded
    return [fold(text) for text in texts]


def _pairs(found: list[tuple[int, int]]) -> list[tuple[Rows, Rows]]:
    if not found:
        return []
    both = np.array(found, dtype=np.int64)
    return [(both[:, 0], both[:, 1])]
