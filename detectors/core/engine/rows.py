"""Events that arrive one by one as columns, without a dictionary of fields for each.

A Windows event whose payload is flat (nearly all are) goes straight from its JSON into the
columns that somebody asks about; any other is flattened as ingest does it, with the same
result.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from detectors.core.engine.columns import SYSTEM, Mask, Rows, Table
from detectors.core.engine.tables import Fields, asks_name
from detectors.core.events.text import canonical_list, canonical_scalar
from detectors.core.formats.windows import flatten_event
from secops.kernel.logs import Column, Value

_BODY: Final = "EventData"
_PARTS: Final = frozenset({"System", _BODY, "#attributes"})
_ATTRIBUTES: Final = "#attributes"
_TEXT: Final = "#text"
_ONLY_TEXT: Final = {_TEXT}
_DIGITS: Final = frozenset("0123456789")


@dataclass(slots=True)
class _Sparse:
    """One field: its values by code, and (row, code) where it is present, rows ascending."""

    codes: dict[Value, int] = field(default_factory=dict)
    rows: array[int] = field(default_factory=lambda: array("i"))
    at: array[int] = field(default_factory=lambda: array("i"))

    def put(self, row: int, value: Value) -> None:
        self.rows.append(row)
        self.at.append(self.codes.setdefault(value, len(self.codes)))

    def dense(self, length: int) -> Column:
        codes = np.full(length, -1, dtype=np.int32)
        codes[np.frombuffer(self.rows, np.int32)] = np.frombuffer(self.at, np.int32)
        return Column(list(self.codes), array("i", codes.tobytes()))


class _Names(dict[str, "_Sparse | None"]):
    """A column for every name that is asked about, made when it is first seen."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._asked = names

    def __missing__(self, name: str) -> _Sparse | None:
        column = _Sparse() if asks_name(self._asked, name) else None
        self[name] = column
        return column


_Plan = tuple[dict[Value, int], Callable[[int], None], Callable[[int], None]] | None
"""A column's codes and where its rows and codes are appended; None: nobody asks."""


class RowTable:
    """Collects events; ``table`` gives what was collected."""

    def __init__(self, names: frozenset[str]) -> None:
        self._columns = _Names(names)
        self._lines: list[int] = []
        self._length = 0
        self._body: dict[str, _Plan] = {}
        self._system: dict[str, _Plan] = {}
        own = [name.removeprefix(SYSTEM) for name in names]
        self._parents = {n[:at] for n in own for at, letter in enumerate(n) if letter == "_"}

    def __len__(self) -> int:
        """Return how many events were added."""
        return self._length

    def add_fields(self, fields: Fields, *, is_line: bool) -> None:
        """Add an event by its fields; ``is_line`` says that keywords read its raw line."""
        row = self._length
        self._length += 1
        if is_line:
            self._lines.append(row)
        for name, value in fields.items():
            column = self._columns[name]
            if column is not None:
                column.put(row, value)

    def add_event(self, event: Mapping[str, Any]) -> None:
        """Add what stands under ``Event`` of a Windows record; raise ``TooDeep``."""
        row = self._length
        body = event.get(_BODY)
        system = event.get("System")
        plain = event.keys() <= _PARTS and system.__class__ is dict
        plain = plain and (body is None or (body.__class__ is dict and self._add_body(body, row)))
        if not plain:
            self._take_back(row, body)
            self.add_fields(flatten_event(event), is_line=False)
            return
        self._length += 1
        self._add_system(system, row)

    def _add_body(self, body: dict[str, Any], row: int) -> bool:
        """Add a flat payload; False at the first name or value that is not plain."""
        plans = self._body
        for name, value in body.items():
            try:
                plan = plans[name]
            except KeyError:
                if _is_odd(name):
                    return False
                plan = plans[name] = _plan(self._columns[name])
            if value.__class__ is dict:
                if value.keys() != _ONLY_TEXT:
                    return False
                value = value[_TEXT]  # noqa: PLW2901 - an unnamed Data, as the parser writes it
            if plan is not None and value is not None:
                if value.__class__ is not str:
                    value = _canonical(value)  # noqa: PLW2901 - the value in our words
                    if value is None:
                        continue
                codes, add_row, add_code = plan
                add_row(row)
                add_code(codes.setdefault(value, len(codes)))
        return True

    def _take_back(self, row: int, body: Any) -> None:
        for name in body if body.__class__ is dict else ():
            column = self._columns.get(name)
            if column is not None and column.rows and column.rows[-1] == row:
                column.rows.pop()
                column.at.pop()

    def _add_system(self, system: Any, row: int) -> None:
        plans = self._system
        for name, value in system.items():
            if value.__class__ is dict:
                if name in self._parents:
                    self._add_attributes(name, value.get(_ATTRIBUTES), row)
                value = value.get(_TEXT)  # noqa: PLW2901 - what the element says
            if name not in plans:
                plans[name] = _plan(self._columns[SYSTEM + name])
            plan = plans[name]
            if plan is not None:
                _put(plan, canonical_scalar(value), row)

    def _add_attributes(self, name: str, attributes: Any, row: int) -> None:
        for key, value in attributes.items() if attributes.__class__ is dict else ():
            plan = _plan(self._columns[f"{SYSTEM}{name}_{key}"])
            _put(plan, canonical_scalar(value), row)

    def table(self, keywords: Callable[[Sequence[int]], Sequence[Value]]) -> Table:
        """Return everything added as a table; ``keywords`` as the table has them."""
        length = self._length
        lines = np.zeros(length, dtype=np.bool_)
        lines[self._lines] = True

        def lined(rows: Rows) -> Mask:
            return lines[rows]

        found = {n: c for n, c in self._columns.items() if c is not None and c.rows}
        return Table(length, _Dense(found, length), keywords, lined)


def _plan(column: _Sparse | None) -> _Plan:
    return None if column is None else (column.codes, column.rows.append, column.at.append)


def _put(plan: _Plan, text: str | None, row: int) -> None:
    if plan is not None and text is not None:
        codes, add_row, add_code = plan
        add_row(row)
        add_code(codes.setdefault(text, len(codes)))


def _canonical(value: Any) -> Value | None:
    return canonical_list(value) if isinstance(value, list) else canonical_scalar(value)


def _is_odd(name: str) -> bool:
    """Tell whether ``name`` may mean something else: repeats, spaces, parser's marks."""
    odd = name != name.strip() or not name or name in (_ATTRIBUTES, _TEXT)
    return odd or ("_" in name and name[-1] in _DIGITS)


class _Dense(Mapping[str, Column]):
    """Columns over all rows, made when they are read."""

    def __init__(self, columns: Mapping[str, _Sparse], length: int) -> None:
        self._columns = columns
        self._length = length
        self._made: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._columns[name].dense(self._length)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
