"""Tables for the engine: from events one by one, or from a store's batch."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from detectors.core.engine.columns import SYSTEM, Mask, Rows, Table
from detectors.core.events.text import texts_of
from detectors.core.sigma.tree import KEYWORDS
from detectors.models.columns import sparse
from secops.kernel.logs import Batch, Column, LogEvent, Value

Fields = Mapping[str, Value]

_RAW_IS_JSON: Final = b"{"
_CHANNEL: Final = f"{SYSTEM}Channel"
_LENGTH: Final = len(SYSTEM)
_DERIVED: Final = frozenset(
    {"event.module", "event.code", "event.provider", "host.name", "winlog.channel"}
)
"""What ingest adds to a Windows record; it is no payload."""


class TableBuilder:
    """Collects events and turns them into a table of the fields somebody asks about."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def build(self, events: Sequence[Fields], raws: Sequence[bytes]) -> Table:
        """Return the table of ``events``; ``raws`` are their raw lines."""
        columns: dict[str, tuple[dict[Value, int], array[int]] | None] = {}
        empty = array("i", (-1,)) * len(events)
        for row, fields in enumerate(events):
            for name, value in fields.items():
                try:
                    column = columns[name]
                except KeyError:
                    column = columns[name] = (
                        ({}, empty[:]) if asks_name(self._names, name) else None
                    )
                if column is not None:
                    codes, rows = column
                    rows[row] = codes.setdefault(value, len(codes))
        found = {n: Column(list(c[0]), c[1]) for n, c in columns.items() if c is not None}
        return Table(
            len(events),
            found,
            lambda rows: [keyword_text(events[row], raws[row]) for row in rows],
            lambda rows: np.array(
                [is_line(events[row], raws[row]) for row in rows.tolist()], dtype=np.bool_
            ),
        )


def asks_name(names: frozenset[str], name: str) -> bool:
    """Tell whether questions about ``names`` may read an event's field ``name``."""
    if KEYWORDS in names and not name.startswith(SYSTEM):
        return True
    if name in names or name.replace(" ", "") in names:
        return True
    return name.startswith(SYSTEM) and name.removeprefix(SYSTEM) in names


def batch_of(events: Sequence[LogEvent], first_seq: int = 1) -> Batch:
    """Return ``events`` as a store would give them, numbered from ``first_seq``."""
    count = len(events)
    columns: dict[str, tuple[dict[Value, int], array[int]]] = {}
    sources: dict[Value, int] = {}
    for row, event in enumerate(events):
        for name, value in event.fields.items():
            codes, rows = columns.setdefault(name, ({}, array("i", (-1,)) * count))
            rows[row] = codes.setdefault(value, len(codes))
    named = array("i", (sources.setdefault(event.source, len(sources)) for event in events))
    return Batch(
        ids=[event.id for event in events],
        seqs=array("q", range(first_seq, first_seq + count)),
        times=array("q", (event.at for event in events)),
        source=Column(list(sources), named),
        columns={name: Column(list(codes), rows) for name, (codes, rows) in columns.items()},
        raws=[event.raw for event in events],
    )


def table_of(batch: Batch) -> Table:
    """Return a store's ``batch`` as a table."""

    def keywords(rows: Sequence[int]) -> list[Value]:
        found = zip(fields_of_rows(batch, rows), rows, strict=True)
        texts = ((_payload_text(mine), mine, row) for mine, row in found)
        return [
            keyword_text(mine, batch.raws[row]) if text is None else text
            for text, mine, row in texts
        ]

    def lined(rows: Rows) -> Mask:
        structured = np.zeros(len(batch), dtype=np.bool_)
        for name, column in batch.columns.items():
            if name.startswith(SYSTEM):
                structured[sparse(column).placed[0]] = True
        others = ~structured[rows]
        places = np.flatnonzero(others)
        others[places] = [not _is_json(batch.raws[row]) for row in rows[places].tolist()]
        return others

    return Table(len(batch), batch.columns, keywords, lined)


def fields_of_rows(batch: Batch, rows: Sequence[int]) -> list[dict[str, Value]]:
    """Return the fields of several rows of ``batch``: each column is read once.

    A row that is asked for twice gives the same fields twice.
    """
    distinct, places = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
    found: list[dict[str, Value]] = [{} for _ in distinct]
    place_of = np.full(len(batch), -1, dtype=np.int64)
    place_of[distinct] = np.arange(len(distinct))
    for name, column in batch.columns.items():
        there, at = sparse(column).placed
        wanted = place_of[there]
        hit = wanted >= 0
        values = column.values
        for place, code in zip(wanted[hit].tolist(), at[hit].tolist(), strict=True):
            found[place][name] = values[code]
    return [found[place] for place in places.tolist()]


class RowFields(Mapping[str, Value]):
    """The fields of one row of a batch, looked up one by one: most are never asked for."""

    __slots__ = ("_batch", "_row")

    def __init__(self, batch: Batch, row: int) -> None:
        self._batch = batch
        self._row = row

    def __getitem__(self, name: str) -> Value:
        """Return the field ``name``; raise ``KeyError`` where the row has none."""
        column = self._batch.columns[name]
        code = column.codes[self._row]
        if code < 0:
            raise KeyError(name)
        return column.values[code]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the fields that the row has."""
        return (n for n, c in self._batch.columns.items() if c.codes[self._row] >= 0)

    def __len__(self) -> int:
        """Return how many fields the row has."""
        return sum(1 for _ in self)


def row_fields(batch: Batch, row: int) -> dict[str, Value]:
    """Return the fields of one row of ``batch``."""
    return {
        name: column.values[column.codes[row]]
        for name, column in batch.columns.items()
        if column.codes[row] >= 0
    }


def keyword_text(fields: Fields, raw: bytes) -> str:
    """Return the text that rules without a field read.

    A log line is its own text; of structured events (Windows, JSON) it is all values of the
    payload in the order of their names, joined by LF: a keyword must depend neither on how
    JSON escapes a backslash nor on the order in which a store keeps fields.
    """
    payload = _payload_text(fields)
    if payload is not None:
        return payload
    return _joined(fields, fields) if _is_json(raw) else raw.decode("utf-8", "backslashreplace")


def _payload_text(fields: Fields) -> str | None:
    """Return the text of a Windows event, whose raw line nobody needs; None for any other."""
    if _CHANNEL in fields or any(name.startswith(SYSTEM) for name in fields):
        return _joined(fields, (n for n in fields if n[:_LENGTH] != SYSTEM and n not in _DERIVED))
    return None


def _joined(fields: Fields, names: Iterable[str]) -> str:
    return "\n".join(text for name in sorted(names) for text in texts_of(fields[name]))


def is_line(fields: Fields, raw: bytes) -> bool:
    """Tell whether keywords read the raw line of an event."""
    return not _is_json(raw) and not any(name.startswith(SYSTEM) for name in fields)


def _is_json(raw: bytes) -> bool:
    return raw.lstrip()[:1] == _RAW_IS_JSON
