"""A column of few: which rows have a field, instead of a code for each row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from secops.kernel.logs import Column, Value

Placed = tuple[NDArray[np.int64], NDArray[np.int32]]
"""Rows, ascending, each once; and the code of the value on each."""


class SparseColumn(Column):
    """One field of ``length`` events, most of which do not have it.

    ``place`` says where its values stand, and is asked when somebody wants to know that.
    """

    length: int
    _place: Callable[[], Placed]

    def __init__(self, values: Sequence[Value], place: Callable[[], Placed], length: int) -> None:
        for name, value in (("values", values), ("_place", place), ("length", length)):
            object.__setattr__(self, name, value)

    @cached_property
    def placed(self) -> Placed:
        """The rows that have the field, and the code of each one's value."""
        return self._place()

    @cached_property
    def codes(self) -> array[int]:
        """A code for each row; -1 says the field is absent there."""
        rows, at = self.placed
        dense = np.full(self.length, -1, dtype=np.int32)
        dense[rows] = at
        return array("i", dense.tobytes())


def sparse(column: Column) -> SparseColumn:
    """Return ``column`` by the rows that have the field."""
    if isinstance(column, SparseColumn):
        return column
    codes = np.frombuffer(column.codes, dtype=np.int32) if len(column.codes) else _NO_CODES

    def place() -> Placed:
        rows = np.flatnonzero(codes >= 0)
        return rows, codes[rows]

    return SparseColumn(column.values, place, len(codes))


_NO_CODES: NDArray[np.int32] = np.empty(0, dtype=np.int32)
