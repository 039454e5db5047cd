"""What was decided of values, over many tables: each distinct value is asked about once.

The tables of a log hold the same values again and again. A field's values get codes that last
from table to table, so that only those not seen before go through the field's questions. What
is remembered is bounded: a field with too much of it begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import numpy as np

from detectors.core.engine.asking import States, open_states
from detectors.core.engine.fields import Decided, FieldProgram
from detectors.core.events.text import texts_of
from detectors.models.columns import Placed, SparseColumn
from secops.kernel.logs import Value

MOST: Final = 32 << 20
"""Characters of one field's values that are remembered; a value counts for 64 at least."""
_LEAST: Final = 64


class FieldMemory:
    """The values of one field, in the order in which they were met, and what holds for them."""

    def __init__(self, field: FieldProgram, most: int = MOST) -> None:
        self._field = field
        self._most = most
        self._forget()

    def _forget(self) -> None:
        self.values: list[Value] = []
        self.decided = Decided()
        self._codes: dict[Value, int] = {}
        self._states: dict[int, States] = {}
        self._size = 0

    def learn(self, column: SparseColumn) -> SparseColumn:
        """Return ``column`` by codes that last; what is new in it is decided.

        The column before this one must not be used any more.
        """
        if self._size > self._most:
            self._forget()
        get = self._codes.get
        found = [get(value, -1) for value in column.values]
        fresh = [value for value, code in zip(column.values, found, strict=True) if code < 0]
        if fresh:
            self._add(fresh)
            found = [get(value, -1) for value in column.values]
        lasting = np.array(found, dtype=np.int32)

        def place() -> Placed:
            rows, at = column.placed
            return rows, lasting[at]

        return SparseColumn(self.values, place, column.length)

    def states(self, number: int) -> States:
        """Return what was answered of the question ``number``, and what is still open."""
        states = open_states(self.decided.may[number], len(self.values))
        known = self._states.get(number)
        if known is not None:
            states[: len(known) - 1] = known[:-1]  # the last one stands for "absent"
        self._states[number] = states
        return states

    def _add(self, fresh: Iterable[Value]) -> None:
        start = len(self.values)
        # a value may come twice: where several fields were put together
        new = list(dict.fromkeys(fresh))
        self._codes.update(zip(new, range(start, start + len(new)), strict=True))
        self.values += new
        self._size += sum(max(_LEAST, _length(value)) for value in new)
        decided = self._field.decide(new)
        pairs = ((self.decided.exact, decided.exact), (self.decided.may, decided.may))
        for known, found in pairs:
            for number, codes in found.items():
                before = known.get(number)
                after = codes + start
                known[number] = after if before is None else np.concatenate((before, after))


def _length(value: Value) -> int:
    return len(value) if isinstance(value, str) else sum(map(len, value))


class WordMemory:
    """Which texts hold literals of keyword questions, each text searched once."""

    def __init__(self, field: FieldProgram, most: int = MOST) -> None:
        self._field = field
        self._most = most
        self._size = 0
        self._searched: set[Value] = set()
        self._found: dict[Value, frozenset[int]] = {}

    def search(self, columns: Iterable[Sequence[Value]]) -> None:
        """Search what was not searched yet of the values of a table's ``columns``."""
        if self._size > self._most:
            self._size = 0
            self._searched, self._found = set(), {}
        known = self._searched
        fresh = [value for values in columns for value in values if value not in known]
        if fresh:
            self._search(fresh)

    def hits(self, values: Sequence[Value]) -> list[tuple[int, frozenset[int]]]:
        """Return which of ``values``, by position, hold literals, and of which atoms."""
        found = self._found
        if found.keys().isdisjoint(values):
            return []
        return [(place, found[value]) for place, value in enumerate(values) if value in found]

    def _search(self, fresh: Sequence[Value]) -> None:
        texts = list(dict.fromkeys(chain.from_iterable(map(texts_of, fresh))))
        atoms = self._field.words_of(texts)
        hits = {texts[place]: held for place, held in atoms.items()}
        if hits:
            for value in fresh:
                mine = [hits[text] for text in texts_of(value) if text in hits]
                if mine:
                    self._found[value] = frozenset().union(*mine)
        self._searched.update(fresh)
        self._size += sum(max(_LEAST, _length(value)) for value in fresh)


class Memory:
    """What a program remembers from table to table; one thread at a time may use it."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._fields: dict[str, FieldMemory] = {}
        self._words: WordMemory | None = None

    def field(self, name: str, field: FieldProgram) -> FieldMemory:
        """Return the memory of the field ``name``."""
        known = self._fields.get(name)
        if known is None:
            known = self._fields[name] = FieldMemory(field, self._most)
        return known

    def words(self, field: FieldProgram) -> WordMemory:
        """Return the memory of keywords."""
        if self._words is None:
            self._words = WordMemory(field, self._most)
        return self._words
