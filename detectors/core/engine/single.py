"""One event under a program: sets and look-ups instead of columns, whose making costs more.

The same questions as of a table. Of an event's values the atoms that hold are collected, the
trees whose fixed anchor is among them are asked, and what needs more than literals is asked
where a tree depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.core.engine.asking import Asking, Patience
from detectors.core.engine.columns import SYSTEM, Rows, Table
from detectors.core.engine.numbering import Numbered, Operator
from detectors.core.engine.questions import predicate
from detectors.core.engine.references import compares
from detectors.core.events.text import texts_of
from detectors.core.sigma.derived import derivation, derive
from detectors.core.sigma.tree import KEYWORDS, Absent, Atom, Present, Reference
from secops.kernel.logs import Column, Value

if TYPE_CHECKING:
    from detectors.core.engine.program import Program

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
        for name, function, names in self._derived:
            if names[0] in values:
                made = derive(function, tuple(values.get(each) for each in names))
                if made is not None:
                    values[name] = made
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
        patience: Patience | None = None,
    ) -> list[int]:
        """Return the trees that hold for an event with ``values``, by position, ascending.

        ``keywords`` gives the text that questions without a field read.
        """
        event = _Event(self._program, values, keywords, patience)
        for name, value in values.items():
            mine = self._fields.get(name)
            if mine is not None:
                mine.ask(value, event.held, event.may)
        event.held.update(n for n, name in self._absent.items() if name not in values)
        trees = self._program.trees
        near = self._always.union(*map(self._posted, event.held), *map(self._posted, event.may))
        return [position for position in sorted(near) if event.fits(position, trees[position])]


@dataclass(slots=True)
class _Event:
    """What is known of one event: the atoms that hold, and those that may."""

    program: Program
    values: Mapping[str, Value]
    keywords: Callable[[], Value]
    patience: Patience | None
    held: set[int] = field(default_factory=set)
    may: set[int] = field(default_factory=set)
    words: Value = ""
    asked_words: bool = False

    def fits(self, position: int, tree: Numbered) -> bool:
        """Tell whether a tree holds; one that takes too long, or raises, is named and doesn't."""
        try:
            return self.holds(tree)
        except Exception as error:
            if self.patience is None:
                raise
            self.patience.failed[position] = f"{type(error).__name__}: {error}"
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
        elif number in self.program.references:
            reference = self.program.references[number]
            left, right = self.values.get(reference.field), self.values.get(reference.other)
            if left is None or right is None:
                return False
            answer = compares(reference.operation, left, right)
        elif not self.asked_words and self.program.field_of(number) == KEYWORDS:
            self.words, self.asked_words = self.keywords(), True
            self.program.fields[KEYWORDS].ask(self.words, self.held, self.may)
            return number in self.held or self._answer(number)
        else:
            return False
        if answer:
            self.held.add(number)
        return answer

    def _ask(self, number: int) -> bool:
        name = self.program.field_of(number)
        value = self.words if name == KEYWORDS else self.values[name]
        return Asking(self.program.fields[name].asking(number), self.patience).holds(value)


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


def atom_holds(atom: Atom, fields: Mapping[str, Value], keywords: Callable[[], Value]) -> bool:
    """Tell whether one question holds for an event, without any program."""
    value = keywords() if atom.field == KEYWORDS else value_of(fields, atom.field)
    if isinstance(atom, Present | Absent):
        return (value is None) is isinstance(atom, Absent)
    if value is None:
        return False
    if isinstance(atom, Reference):
        other = value_of(fields, atom.other)
        return other is not None and compares(atom.operation, value, other)
    return any(map(predicate(atom), texts_of(value)))


def evaluate_each(
    program: Program, table: Table, patience: Patience | None = None
) -> dict[int, Rows]:
    """Return what ``evaluate`` does, event by event."""
    found: dict[int, list[int]] = {}
    one = program.one
    for row in range(table.length):
        fields = (
            (n, v) for n, column in table.columns.items() if (v := _at(column, row)) is not None
        )

        def keywords(row: int = row) -> Value:
            return table.keywords([row])[0]

        for position in one.holding(one.values_of(fields), keywords, patience):
            found.setdefault(position, []).append(row)
    failed = () if patience is None else patience.failed
    return {n: np.array(rows, dtype=np.int64) for n, rows in found.items() if n not in failed}


def _at(column: Column, row: int) -> Value | None:
    code = column.codes[row]
    return None if code < 0 else column.values[code]
