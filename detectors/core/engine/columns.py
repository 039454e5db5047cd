"""Columns as the engine reads them: distinct values, codes per row, rows per value."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from detectors.core.events.text import texts_of
from detectors.core.sigma.derived import Derivation, derivation, derive
from detectors.models.columns import SparseColumn, sparse
from secops.kernel.logs import Column, Value

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TEXT: Final = frozenset({str})
_NO_ROWS: Final[Rows] = np.empty(0, dtype=np.int64)
_MANY: Final = 64
"""Values above which all rows are looked at once, instead of each value's own."""
_SMALL: Final = 1 << 16
SYSTEM: Final = "System."
"""The name space that a rule's field falls back to (Windows events' System element)."""


@dataclass(frozen=True, slots=True)
class Table:
    """Events as columns. ``keywords`` gives the texts that keyword rules read, by row.

    ``lined`` tells of which rows that text is the raw line; of the others it is the values of
    ``columns`` (then every column must be there) but System's. None: nothing is known.
    """

    length: int
    columns: Mapping[str, Column]
    keywords: Callable[[Sequence[int]], Sequence[Value]]
    lined: Callable[[Rows], Mask] | None = None


class Index:
    """One field of a table: what each value is, how often, and on which rows.

    A code is a position in ``values``; ``absent`` (how many values there are) stands for none.
    """

    __slots__ = ("_at", "_codes", "_order", "_rows", "_starts", "absent", "counts", "values")

    def __init__(self, column: SparseColumn) -> None:
        self.values = column.values
        self.absent = len(column.values)
        self._rows, self._at = column.placed
        self.counts = np.bincount(self._at, minlength=self.absent + 1)
        self.counts[self.absent] = column.length - len(self._rows)
        self._codes: Codes | None = None
        self._order: Rows | None = None
        self._starts: Rows | None = None

    @property
    def codes(self) -> Codes:
        """A code for each row."""
        if self._codes is None:
            length = len(self._rows) + int(self.counts[self.absent])
            self._codes = np.full(length, self.absent, dtype=np.int32)
            self._codes[self._rows] = self._at
        return self._codes

    def value(self, row: int) -> Value | None:
        """Return the value of ``row``."""
        code = self.codes[row]
        return self.values[code] if code < self.absent else None

    def any_of(self, rows: Rows) -> bool:
        """Tell whether one of ``rows`` has a value."""
        return bool((self.codes[rows] < self.absent).any())

    def rows_of(self, codes: Rows) -> Rows:
        """Return the rows that hold one of ``codes``, in no particular order."""
        if len(codes) and codes[-1] == self.absent:  # codes ascend
            present = np.ones(len(self.codes), dtype=np.bool_)
            present[self._rows] = False
            return np.concatenate((np.flatnonzero(present), self.rows_of(codes[:-1])))
        held = codes[self.counts[codes] > 0]
        if len(held) > _MANY:
            wanted = np.zeros(self.absent, dtype=np.bool_)
            wanted[held] = True
            return self._rows[wanted[self._at]]
        if self._order is None or self._starts is None:
            is_small = self.absent <= _SMALL  # sorted by their digits, in one pass over each
            keys = self._at.astype(np.uint16) if is_small else self._at
            self._order = self._rows[np.argsort(keys, kind="stable" if is_small else None)]
            self._starts = np.concatenate(([0], np.cumsum(self.counts[:-1])))
        starts, order = self._starts, self._order
        parts = [order[starts[code] : starts[code + 1]] for code in held.tolist()]
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else _NO_ROWS


class View:
    """A table under the names that rules use.

    A rule's ``NewValue`` reads ``NewValue``, else a name that differs by spaces only
    (``New Value``), else System's: the first of them that a row has.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        self._spaced: dict[str, list[str]] = {}
        for name in table.columns:
            if " " in name:
                self._spaced.setdefault(name.replace(" ", ""), []).append(name)

    def index(self, name: str) -> Index | None:
        """Return the index of ``name``; None where no row has it."""
        column = self.column(name)
        return None if column is None else Index(column)

    def column(self, name: str) -> SparseColumn | None:
        """Return the column of ``name``; None where no row has it."""
        derived = derivation(name)
        return self._own(name) if derived is None else self._derived(*derived)

    def _derived(self, function: Derivation, names: tuple[str, ...]) -> SparseColumn | None:
        """Make each value once per distinct combination of its fields' values."""
        found = [self._own(name) for name in names]
        if found[0] is None:
            return None
        parts = [None if column is None else Index(column) for column in found]
        joint = np.zeros(self.table.length, dtype=np.int64)
        for part in parts:
            if part is not None:
                joint = joint * (len(part.values) + 1) + part.codes
        _, first, codes = np.unique(joint, return_index=True, return_inverse=True)
        made = [
            derive(function, tuple(None if part is None else part.value(row) for part in parts))
            for row in first.tolist()
        ]
        values = [value for value in made if value is not None]
        known = np.array([value is not None for value in made], dtype=np.bool_)
        numbers = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)[codes.reshape(-1)]
        rows = np.flatnonzero(numbers >= 0)
        return _placed(values, rows, numbers[rows], self.table.length)

    def _own(self, name: str) -> SparseColumn | None:
        wanted = (name, *self._spaced.get(name, ()), SYSTEM + name)
        found = [self.table.columns[each] for each in wanted if each in self.table.columns]
        if not found:
            return None
        first, *rest = map(sparse, found)
        if not rest:
            return first
        values: list[Value] = list(first.values)
        parts = [first.placed]
        taken = np.zeros(self.table.length, dtype=np.bool_)
        for column in rest:
            taken[parts[-1][0]] = True
            rows, at = column.placed
            free = ~taken[rows]
            parts.append((rows[free], at[free] + np.int32(len(values))))
            values.extend(column.values)
        joined, codes = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(joined)
        return _placed(values, joined[order], codes[order], self.table.length)

    def keyword_column(self, rows: Rows) -> SparseColumn:
        """Return the column of the keyword texts of ``rows``; the others have none."""
        texts = self.table.keywords(rows.tolist())
        return _placed(texts, rows, np.arange(len(rows), dtype=np.int32), self.table.length)


def _placed(values: Sequence[Value], rows: Rows, at: Codes, length: int) -> SparseColumn:
    return SparseColumn(values, lambda: (rows, at), length)


def texts_with_owners(values: Sequence[Value]) -> tuple[Sequence[str], Sequence[int]]:
    """Return every text in ``values`` and, for each, the position of its value."""
    if are_texts(values):
        return values, range(len(values))
    texts: list[str] = []
    owners: list[int] = []
    for code, value in enumerate(values):
        for text in texts_of(value):
            texts.append(text)
            owners.append(code)
    return texts, owners


def are_texts(values: Sequence[Value]) -> TypeGuard[Sequence[str]]:
    """Tell whether there is no list among ``values``."""
    return _TEXT.issuperset(map(type, values))


def codes_of(codes: array[int]) -> Codes:
    """Return the codes of a column as numpy sees them, without a copy."""
    return np.frombuffer(codes, dtype=np.int32) if len(codes) else np.empty(0, dtype=np.int32)
