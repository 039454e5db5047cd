"""One event under a program: sets and look-ups instead of columns, whose making costs more.

The same questions as of a table. Of an event's values the atoms that hold are collected, the
trees whose fixed anchor is among them are asked, and what needs more than literals is asked
where a tree depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np

from detectors.core.engine.asking import Asking, Patience
from detectors.core.engine.columns import SYSTEM, Rows, Table
from detectors.core.engine.numbering import Numbered, Operator
from detectors.core.engine.program import Program
from detectors.core.engine.questions import Predicate, Question, predicate
from detectors.core.engine.references import compares
from detectors.core.events.text import fold, texts_of
from detectors.core.sigma.derived import derivation, derive
from detectors.core.sigma.tree import (
    KEYWORDS,
    Absent,
    Atom,
    Pattern,
    Present,
    Reference,
    Text,
)
from secops.kernel.logs import Column, Value

FEW: Final = 8
"""Events up to which they are asked one by one."""


class EventProgram:
    """A program as it is asked about one event at a time."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._fields = {n: f for n, f in program.fields.items() if n != KEYWORDS}
        self._derived = [(n, *made) for n in self._fields if (made := derivation(n)) is not None]
        self._own = {*self._fields, *(each for _, _, names in self._derived for each in names)}
        self._own |= {n for r in program.references.values() for n in (r.field, r.other)}
        self._readers: dict[str, tuple[tuple[str, int], ...]] = {}
        self._trees: dict[int, list[int]] = {}
        for number, position in program.postings:
            self._trees.setdefault(number, []).append(position)
        open_atoms = set(program.references)
        if program.asks_keywords:
            open_atoms |= program.fields[KEYWORDS].atoms
        self._always = set(program.anchorless).union(*map(self._posted, open_atoms))
        self._absent = {f.absent: n for n, f in self._fields.items() if f.absent >= 0}

    def _posted(self, number: int) -> list[int]:
        return self._trees.get(number, [])

    def values_of(self, fields: Iterable[tuple[str, Value]]) -> dict[str, Value]:
        """Return what each name that questions use reads of an event's ``fields``.

        A name reads its own field, else one that differs by spaces only, else System's.
        """
        found: dict[str, tuple[int, Value]] = {}
        for name, value in fields:
            readers = self._readers.get(name)
            if readers is None:
                readers = self._readers[name] = self._readers_of(name)
            for reader, rank in readers:
                if reader not in found or rank < found[reader][0]:
                    found[reader] = (rank, value)
        values = {name: value for name, (_, value) in found.items()}
        made = (
            (name, derive(function, tuple(values.get(each) for each in names)))
            for name, function, names in self._derived
            if names[0] in values
        )
        values.update((name, value) for name, value in made if value is not None)
        return values

    def _readers_of(self, name: str) -> tuple[tuple[str, int], ...]:
        wanted = ((name, 0), (name.replace(" ", ""), 1), (name.removeprefix(SYSTEM), 2))
        ranks: dict[str, int] = {}
        for reader, rank in wanted:
            if reader in self._own:
                ranks.setdefault(reader, rank)
        return tuple(ranks.items())

    def holding(
        self,
        values: Mapping[str, Value],
        keywords: Callable[[], Value],
        asker: Asker,
    ) -> list[int]:
        """Return the trees that hold for an event with ``values``, by position, ascending.

        ``keywords`` gives the text that questions without a field read.
        """
        event = _Event(asker, values, keywords)
        for name, value in values.items():
            mine = self._fields.get(name)
            if mine is not None:
                mine.ask(value, event.held, event.may)
        event.held.update(n for n, name in self._absent.items() if name not in values)
        trees = self._program.trees
        near = self._always.union(*map(self._posted, event.held), *map(self._posted, event.may))
        return [position for position in sorted(near) if event.fits(position, trees[position])]


@lru_cache(maxsize=8)
def event_program(program: Program) -> EventProgram:
    """Return ``program`` for one event at a time; of the last few it is made once."""
    return EventProgram(program)


class Asker:
    """What events of one batch share: the time that each question may take."""

    def __init__(self, program: Program, patience: Patience | None) -> None:
        self.program = program
        self.patience = patience
        self._askings: dict[int, Asking] = {}

    def holds(self, number: int, value: Value) -> bool:
        """Tell whether an atom that only may hold does; raise ``TooSlow``."""
        known = self._askings.get(number)
        if known is None:
            field = self.program.fields[self.program.field_of(number)]
            known = self._askings[number] = Asking(field.asking(number), self.patience)
        return known.holds(value)


@dataclass(slots=True)
class _Event:
    """What is known of one event: the atoms that hold, and those that may."""

    asker: Asker
    values: Mapping[str, Value]
    keywords: Callable[[], Value]
    held: set[int] = field(default_factory=set)
    may: set[int] = field(default_factory=set)
    words: Value = ""
    asked_words: bool = False

    def fits(self, position: int, tree: Numbered) -> bool:
        """Tell whether a tree holds; one that takes too long, or raises, is named and doesn't."""
        try:
            return self.holds(tree)
        except Exception as error:
            patience = self.asker.patience
            if patience is None:
                raise
            patience.failed[position] = f"{type(error).__name__}: {error}"
            return False

    def holds(self, tree: Numbered) -> bool:
        if isinstance(tree, int):
            return tree in self.held or self._answer(tree)
        operator = tree[0]
        if operator == Operator.AND:
            return all(map(self.holds, tree[1:]))
        if operator == Operator.OR:
            return any(map(self.holds, tree[1:]))
        return not self.holds(tree[1])

    def _answer(self, number: int) -> bool:
        """Answer what was put off, once."""
        if number in self.may:
            answer = self._ask(number)
            self.may.discard(number)
        elif number in self.asker.program.references:
            reference = self.asker.program.references[number]
            left, right = self.values.get(reference.field), self.values.get(reference.other)
            if left is None or right is None:
                return False
            answer = compares(reference.operation, left, right)
        elif not self.asked_words and self.asker.program.field_of(number) == KEYWORDS:
            self.words, self.asked_words = self.keywords(), True
            self.asker.program.fields[KEYWORDS].ask(self.words, self.held, self.may)
            return number in self.held or self._answer(number)
        else:
            return False
        if answer:
            self.held.add(number)
        return answer

    def _ask(self, number: int) -> bool:
        name = self.asker.program.field_of(number)
        return self.asker.holds(number, self.words if name == KEYWORDS else self.values[name])


def value_of(fields: Mapping[str, Value], name: str) -> Value | None:
    """Return what a question about ``name`` reads of an event; None if it has no such field."""
    made = derivation(name)
    if made is not None:
        function, names = made
        return derive(function, tuple(_own_value(fields, each) for each in names))
    return _own_value(fields, name)


def _own_value(fields: Mapping[str, Value], name: str) -> Value | None:
    value = fields.get(name)
    if value is not None:
        return value
    for each, spaced in fields.items():
        if " " in each and each.replace(" ", "") == name:
            return spaced
    return fields.get(SYSTEM + name)


class Reading:
    """One event as questions without a program read it: each value found, and folded, once."""

    def __init__(self, fields: Mapping[str, Value], keywords: Callable[[], Value]) -> None:
        self._fields = fields
        self._keywords = keywords
        self._values: dict[str, Value | None] = {}
        self._folded: dict[str, tuple[str, ...]] = {}

    def value(self, name: str) -> Value | None:
        """Return what ``name`` reads."""
        if name not in self._values:
            found = self._keywords() if name == KEYWORDS else value_of(self._fields, name)
            self._values[name] = found
        return self._values[name]

    def folded(self, name: str) -> tuple[str, ...]:
        """Return the texts that ``name`` reads, folded."""
        known = self._folded.get(name)
        if known is None:
            value = self.value(name)
            texts = () if value is None else texts_of(value)
            known = self._folded[name] = tuple(map(fold, texts))
        return known


class AtomReader:
    """One question, asked about one event after the other without any program."""

    def __init__(self, atom: Atom) -> None:
        self.atom = atom
        self._is_folded = isinstance(atom, Text | Pattern) and not atom.cased
        self._predicate: Predicate | None = None

    def holds(self, reading: Reading) -> bool:
        """Tell whether it holds."""
        atom = self.atom
        value = reading.value(atom.field)
        if isinstance(atom, Present | Absent):
            return (value is None) is isinstance(atom, Absent)
        if value is None:
            return False
        if isinstance(atom, Reference):
            other = reading.value(atom.other)
            return other is not None and compares(atom.operation, value, other)
        if self._predicate is None:
            self._predicate = predicate(_raw(atom))
        texts = reading.folded(atom.field) if self._is_folded else texts_of(value)
        return any(map(self._predicate, texts))


def _raw(atom: Question) -> Question:
    """Return ``atom`` as it is asked of texts that are folded already."""
    if isinstance(atom, Text):
        return Text(atom.field, atom.operation, atom.literal, cased=True)
    return Pattern(atom.field, atom.parts, cased=True) if isinstance(atom, Pattern) else atom


def evaluate_each(
    program: Program, table: Table, patience: Patience | None = None
) -> dict[int, Rows]:
    """Return what ``evaluate`` does, event by event."""
    found: dict[int, list[int]] = {}
    one, asker = event_program(program), Asker(program, patience)
    for row in range(table.length):
        fields = (
            (n, v) for n, column in table.columns.items() if (v := _at(column, row)) is not None
        )

        def keywords(row: int = row) -> Value:
            return table.keywords([row])[0]

        for position in one.holding(one.values_of(fields), keywords, asker):
            found.setdefault(position, []).append(row)
    failed = () if patience is None else patience.failed
    return {n: np.array(rows, dtype=np.int64) for n, rows in found.items() if n not in failed}


def _at(column: Column, row: int) -> Value | None:
    code = column.codes[row]
    return None if code < 0 else column.values[code]
