"""One Parquet file: writing events as dictionary-encoded columns.

Own columns begin with ``@`` (``@id @seq @at @ingested @source @raw``); a field that begins so
gets another one. A list is the text NUL ``l`` and its JSON, a text that begins with NUL gets
NUL ``s``: every field is one plain dictionary column whatever its values. Fields beyond 2,000
names (rarest first) share one JSON column, so that nobody can blow up the schema; in greater
files those that few rows have share another (``rare``).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from secops.kernel.logs import LogEvent, Value

ID: Final = "@id"
SEQ: Final = "@seq"
AT: Final = "@at"
INGESTED: Final = "@ingested"
SOURCE: Final = "@source"
RAW: Final = "@raw"
OVERFLOW: Final = "@overflow"
RARE: Final = "@rare"
OWN: Final = frozenset({ID, SEQ, AT, INGESTED, SOURCE, RAW, OVERFLOW, RARE})
MAX_COLUMNS: Final = 2_000
ROWS_OF_GROUP: Final = 16_384
_ID_BYTES: Final = 32
_DENSE: Final = 8
"""A dictionary of at most an eighth of a row group's rows is written whole."""
_LIST: Final = "\x00l"
_TEXT: Final = "\x00s"


def column_of(name: str) -> str:
    """Return the Parquet column of field ``name``."""
    return f"@{name}" if name.startswith("@") else name


def name_of(column: str) -> str:
    """Return the field in Parquet column ``column``."""
    return column.removeprefix("@")


def encode_value(value: Value) -> str:
    """Return ``value`` as one text, whatever it is."""
    if isinstance(value, tuple):
        return _LIST + orjson.dumps(value).decode()
    return _TEXT + value if value.startswith("\x00") else value


def decode_value(text: str) -> Value:
    """Return what ``encode_value`` wrote."""
    if not text.startswith("\x00"):
        return text
    if text.startswith(_LIST):
        return tuple(orjson.loads(text[len(_LIST) :]))
    return text[len(_TEXT) :]


@dataclass(slots=True)
class _Building:
    """A column as it gathers: values as they come, and the rows that have one."""

    rows: list[int] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)


def _gathered(rows: Sequence[Mapping[str, Value]]) -> dict[str, _Building]:
    """Return the columns of ``rows``; rows of the same names are turned at one go."""
    shapes: dict[tuple[str, ...], list[int]] = {}
    for row, fields in enumerate(rows):
        shapes.setdefault(tuple(fields), []).append(row)
    columns: dict[str, _Building] = {}
    for names, places in shapes.items():
        turned = zip(*[rows[row].values() for row in places], strict=True)
        for name, values in zip(names, turned, strict=True):
            building = columns.get(name)
            if building is None:
                building = columns[name] = _Building()
            building.rows += places
            building.values += values
    return columns


def table_of(events: Sequence[LogEvent], seqs: NDArray[np.int64]) -> Any:
    """Return ``events`` as an Arrow table with dictionary columns; ``seqs`` are theirs."""
    import pyarrow as pa  # noqa: PLC0415 - heavy: only where segments are written

    columns = _gathered([event.fields for event in events])
    count = len(events)
    source = _Building(list(range(count)), [event.source for event in events])
    ids = bytes.fromhex("".join([event.id for event in events]))
    arrays = {
        ID: pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(_ID_BYTES), count, [None, pa.py_buffer(ids)]
        ),
        SEQ: pa.array(seqs, pa.int64()),
        AT: pa.array([event.at for event in events], pa.int64()),
        INGESTED: pa.array([event.ingested for event in events], pa.int64()),
        SOURCE: _dictionary(source, count),
        RAW: pa.array([event.raw for event in events], pa.large_binary()),
    }
    kept, rest = _split(columns)
    arrays |= {column_of(name): _dictionary(columns[name], count) for name in kept}
    if rest:
        arrays[OVERFLOW] = pa.array(_overflow(columns, rest, count), pa.large_binary())
    return pa.table(arrays)


def parquet_of(table: Any, footer: Mapping[str, str] | None = None) -> bytes:
    """Return ``table`` as a Parquet file with ``footer`` in its metadata."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    stream = io.BytesIO()
    dictionaries = [name for name in table.schema.names if name not in OWN or name == SOURCE]
    table = table.replace_schema_metadata(None)
    with pq.ParquetWriter(
        stream,
        table.schema,
        compression="zstd",
        use_dictionary=dictionaries or False,
        write_statistics=False,
        store_schema=False,  # texts are read as plain ones or as dictionaries, as asked
    ) as writer:
        for begin in range(0, max(table.num_rows, 1), ROWS_OF_GROUP):
            writer.write_table(_alone(table.slice(begin, ROWS_OF_GROUP)))
        if footer:
            writer.add_key_value_metadata(footer)
    return stream.getvalue()


def _alone(group: Any) -> Any:
    """Return the rows of ``group`` with dictionaries of their own values.

    A slice keeps the dictionary of the whole: each row group would be written with all values of
    its part, and reading one would unpack them.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    for position, name in enumerate(group.schema.names):
        column = group.column(position)
        if not pa.types.is_dictionary(column.type) or column.num_chunks != 1:
            continue
        whole = column.chunk(0)
        if len(whole.dictionary) <= group.num_rows // _DENSE:
            continue
        missing = whole.indices.is_null().to_numpy(zero_copy_only=False)
        codes = whole.indices.fill_null(0).to_numpy()
        used = np.zeros(len(whole.dictionary), dtype=np.bool_)
        used[codes[~missing]] = True
        renumbered = pa.array((np.cumsum(used, dtype=np.int32) - 1)[codes], mask=missing)
        values = whole.dictionary.take(pa.array(np.flatnonzero(used)))
        narrow = pa.DictionaryArray.from_arrays(renumbered, values)
        group = group.set_column(position, name, narrow)
    return group


def _split(columns: Mapping[str, _Building]) -> tuple[Iterable[str], Sequence[str]]:
    if len(columns) <= MAX_COLUMNS:
        return columns, ()
    ordered = sorted(columns, key=lambda name: (-len(columns[name].rows), name))
    return ordered[:MAX_COLUMNS], ordered[MAX_COLUMNS:]


def _dictionary(building: _Building, count: int) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    encoded = _encoded(building.values)
    codes = np.full(count, -1, dtype=np.int32)
    codes[building.rows] = encoded.indices.to_numpy()
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), encoded.dictionary)


def _encoded(values: Sequence[Value]) -> Any:
    """Return ``values`` as a dictionary; plain texts, which most columns hold, at one go."""
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    if set(map(type, values)) == {str}:
        encoded = pa.array(values, pa.large_string()).dictionary_encode()
        if not pc.any(pc.starts_with(encoded.dictionary, "\x00")).as_py():
            return encoded
    return pa.array(list(map(encode_value, values)), pa.large_string()).dictionary_encode()


def _overflow(
    columns: Mapping[str, _Building], names: Sequence[str], count: int
) -> list[bytes | None]:
    rows: dict[int, dict[str, Value]] = {}
    for name in names:
        building = columns[name]
        for row, value in zip(building.rows, building.values, strict=True):
            rows.setdefault(row, {})[name] = value
    return [orjson.dumps(rows[row]) if row in rows else None for row in range(count)]
