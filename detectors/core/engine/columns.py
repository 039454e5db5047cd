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
from secops.kernel.logs import Column, Value

Codes = NDArray[np.int32]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TEXT: Final = frozenset({str})
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

    A code is a position in ``values``; ``len(values)`` stands for "absent".
    """

    __slots__ = ("_order", "_starts", "codes", "counts", "values")

    def __init__(self, values: Sequence[Value], codes: Codes) -> None:
        self.values = values
        self.codes = np.where(codes < 0, np.int32(len(values)), codes)
        self.counts = np.bincount(self.codes, minlength=len(values) + 1)
        self._order: Rows | None = None
        self._starts: Rows | None = None

    def value(self, row: int) -> Value | None:
        """Return the value of ``row``."""
        code = self.codes[row]
        return self.values[code] if code < len(self.values) else None

    def texts(self) -> tuple[list[str], Sequence[int]]:
        """Return every text and, for each, the code of the value that it belongs to."""
        values = self.values
        if are_texts(values):
            return list(values), range(len(values))
        texts: list[str] = []
        owners: list[int] = []
        for code, value in enumerate(values):
            for text in texts_of(value):
                texts.append(text)
                owners.append(code)
        return texts, owners

    def rows_of(self, codes: Rows) -> Rows:
        """Return the rows that hold one of ``codes``, in no particular order."""
        if self._order is None or self._starts is None:
            self._order = np.argsort(self.codes, kind="stable")
            self._starts = np.concatenate(([0], np.cumsum(self.counts)))
        starts, order = self._starts, self._order
        parts = [order[starts[code] : starts[code + 1]] for code in codes]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
        derived = derivation(name)
        return self._own(name) if derived is None else self._derived(*derived)

    def _derived(self, function: Derivation, names: tuple[str, ...]) -> Index | None:
        """Make each value once per distinct combination of its fields' values."""
        parts = [self._own(name) for name in names]
        if parts[0] is None:
            return None
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
        numbers = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
        return Index(values, numbers[codes.reshape(-1)])

    def _own(self, name: str) -> Index | None:
        wanted = (name, *self._spaced.get(name, ()), SYSTEM + name)
        found = [self.table.columns[each] for each in wanted if each in self.table.columns]
        if not found:
            return None
        first, *rest = found
        if not rest:
            return Index(first.values, codes_of(first.codes))
        values: list[Value] = list(first.values)
        codes = codes_of(first.codes)
        for column in rest:
            theirs = codes_of(column.codes)
            shifted = np.where(theirs < 0, theirs, theirs + np.int32(len(values)))
            codes = np.where(codes < 0, shifted, codes)
            values.extend(column.values)
        return Index(values, codes)

    def keyword_index(self, rows: Sequence[int]) -> Index:
        """Return the index of the keyword texts of ``rows``; the others have none."""
        codes = np.full(self.table.length, -1, dtype=np.int32)
        codes[np.asarray(rows, dtype=np.int64)] = np.arange(len(rows), dtype=np.int32)
        return Index(self.table.keywords(rows), codes)


def are_texts(values: Sequence[Value]) -> TypeGuard[Sequence[str]]:
    """Tell whether there is no list among ``values``."""
    return _TEXT.issuperset(map(type, values))


def codes_of(codes: array[int]) -> Codes:
    """Return the codes of a column as numpy sees them, without a copy."""
    return np.frombuffer(codes, dtype=np.int32) if len(codes) else np.empty(0, dtype=np.int32)
