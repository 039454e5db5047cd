"""Events one by one as a kernel batch of columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from secops.kernel.logs import Batch, Column, StoredEvent, Value


def batch_of(
    events: Sequence[StoredEvent], *, scanned: int | None = None, until: int | None = None
) -> Batch:
    """Return ``events`` as columns, in the order given."""
    count = len(events)
    columns: dict[str, tuple[dict[Value, int], array[int]]] = {}
    for row, stored in enumerate(events):
        for name, value in stored.event.fields.items():
            codes, rows = columns.setdefault(name, ({}, array("i", (-1,)) * count))
            rows[row] = codes.setdefault(value, len(codes))
    return Batch(
        ids=[stored.event.id for stored in events],
        seqs=array("q", (stored.seq for stored in events)),
        times=array("q", (stored.event.at for stored in events)),
        source=_column(stored.event.source for stored in events),
        columns={name: Column(list(codes), rows) for name, (codes, rows) in columns.items()},
        raws=[stored.event.raw for stored in events],
        scanned=scanned,
        until=until,
    )


def _column(values: Iterable[Value]) -> Column:
    codes: dict[Value, int] = {}
    rows = array("i", (codes.setdefault(value, len(codes)) for value in values))
    return Column(list(codes), rows)
