"""Fields that few rows of a greater file have: packed into one column of it.

A file of Windows events has some 500 fields, 400 of which stand in fewer than one of 128 rows.
Each column of its own would cost as much to read as one that is full. So these fields are one
JSON column, ``@rare``: for each row its columns' names and their encoded values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from detectors.adapters.segments.parts import OWN, RARE

_SHARE: Final = 128
_LEAST: Final = 8
Cells = Mapping[int, str]
"""The encoded values of one column, by row."""


def pack_rare(table: Any) -> Any:
    """Return ``table`` with its rare columns packed, where there are some of them."""
    count = table.num_rows
    rare = [
        name
        for name in table.schema.names
        if name not in OWN and (count - table.column(name).null_count) * _SHARE < count
    ]
    if len(rare) < _LEAST:
        return table
    import pyarrow as pa  # noqa: PLC0415 - heavy: only where segments are written

    rows: dict[int, dict[str, str]] = {}
    for name in rare:
        for row, text in _cells(table.column(name)):
            rows.setdefault(row, {})[name] = text
    packed = [orjson.dumps(rows[row]) if row in rows else None for row in range(count)]
    kept = table.drop_columns(rare)
    return kept.append_column(RARE, pa.array(packed, pa.large_binary()))


def unpack_rare(table: Any) -> Any:
    """Return what ``pack_rare`` was given; the order of columns may be another."""
    if RARE not in table.schema.names:
        return table
    import pyarrow as pa  # noqa: PLC0415 - heavy

    columns = cells_of(table.column(RARE).to_pylist())
    unpacked = table.drop_columns([RARE])
    for name, cells in columns.items():
        texts = pa.array([cells.get(row) for row in range(table.num_rows)], pa.string())
        unpacked = unpacked.append_column(name, texts.dictionary_encode())
    return unpacked


def cells_of(packed: Sequence[bytes | None]) -> dict[str, dict[int, str]]:
    """Return the columns that rows of ``@rare`` hold."""
    columns: dict[str, dict[int, str]] = {}
    for row, written in enumerate(packed):
        if written is not None:
            for name, text in orjson.loads(written).items():
                columns.setdefault(name, {})[row] = text
    return columns


def _cells(column: Any) -> zip[tuple[int, str]]:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    rows = pc.indices_nonzero(pc.is_valid(column))
    return zip(rows.to_pylist(), column.take(rows).to_pylist(), strict=True)
