"""Reading segments: kernel batches whose columns are decoded when somebody asks for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import orjson
from numpy.typing import NDArray

from detectors.adapters.segments.cells import (
    Codes,
    array_of,
    decode_dictionary,
    encoded_rows,
    unified,
)
from detectors.adapters.segments.parts import (
    AT,
    ID,
    INGESTED,
    OVERFLOW,
    OWN,
    RARE,
    RAW,
    ROWS_OF_GROUP,
    SEQ,
    SOURCE,
    column_of,
    decode_value,
    name_of,
)
from detectors.adapters.segments.rare import Cells, cells_of, unpack_rare
from secops.kernel.logs import Batch, Column, LogEvent, StoredEvent, Value

T = TypeVar("T")


class PartFile:
    """One Parquet file, or some of its row groups, opened; columns are read one by one."""

    def __init__(self, path: Path, groups: Sequence[int] | None = None) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy: only where logs are read

        self._path = path
        self._file = pq.ParquetFile(path)
        self.groups = groups
        whole = self._file.metadata.num_rows
        self.rows: int = whole if groups is None else rows_in(groups, whole)
        names = self._file.schema_arrow.names
        self._positions = {name: position for position, name in enumerate(names)}
        self._loaded: dict[str, Any] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The fields some row has."""
        own = {name_of(column) for column in self._positions if column not in OWN}
        return frozenset(own | self._overflow.keys() | {name_of(each) for each in self._rare})

    def load(self) -> None:
        """Read all fields at once: a third of what they cost one by one.

        What the allocator still holds of files read before is given back first.
        """
        import pyarrow as pa  # noqa: PLC0415 - heavy: only where logs are read

        pa.default_memory_pool().release_unused()
        positions = [at for name, at in self._positions.items() if name not in OWN - {SOURCE}]
        reader = self._coded.reader
        if self.groups is None:
            table = reader.read_all(positions, use_threads=False)
        else:
            table = reader.read_row_groups(self.groups, positions, use_threads=False)
        self._loaded = dict(zip(table.schema.names, table.columns, strict=True))

    def seqs(self) -> NDArray[np.int64]:
        """Return the rows' seqs, ascending."""
        return self._numbers(SEQ)

    def times(self) -> NDArray[np.int64]:
        """Return the rows' event times."""
        return self._numbers(AT)

    def ids(self) -> list[bytes]:
        """Return the rows' ids, 32 bytes each."""
        identifiers: list[bytes] = self._read(ID).to_pylist()
        return identifiers

    def raws(self) -> list[bytes]:
        """Return the rows' raw lines."""
        lines: list[bytes] = self._read(RAW).to_pylist()
        return lines

    def source(self) -> tuple[list[Value], Codes]:
        """Return the rows' sources, dictionary-encoded."""
        return self._dictionary(SOURCE)

    def column(self, name: str) -> tuple[list[Value], Codes]:
        """Return the values of field ``name`` and their codes (-1 absent)."""
        column = column_of(name)
        spilled = self._overflow.get(name)
        if column not in self._positions:
            if column in self._rare:
                return self._rare_column(self._rare[column])
            return spilled or ([], np.full(self.rows, -1, dtype=np.int32))
        values, codes = self._dictionary(column)
        if spilled is None:
            return values, codes
        missing = (codes < 0) & (spilled[1] >= 0)
        return values + spilled[0], np.where(missing, spilled[1] + len(values), codes)

    def table(self) -> Any:
        """Return everything as an Arrow table, fields as dictionaries."""
        import pyarrow as pa  # noqa: PLC0415 - heavy

        names = [name for name in self._positions if name not in OWN or name == SOURCE]
        table = unpack_rare(self._with_dictionaries(names).read())
        for name in {RAW, OVERFLOW} & self._positions.keys():
            position = self._positions[name]
            table = table.set_column(position, name, table.column(name).cast(pa.large_binary()))
        return table

    def rows_of(self, rows: Sequence[int]) -> Any:
        """Return ``rows`` as an Arrow table, in that order."""
        groups = sorted({row // ROWS_OF_GROUP for row in rows})
        rank = {group: n for n, group in enumerate(groups)}
        places = [rank[row // ROWS_OF_GROUP] * ROWS_OF_GROUP + row % ROWS_OF_GROUP for row in rows]
        return self._file.read_row_groups(groups).take(places)

    def _with_dictionaries(self, columns: Sequence[str]) -> Any:
        import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

        return pq.ParquetFile(
            self._path, metadata=self._file.metadata, read_dictionary=list(columns)
        )

    def _read(self, column: str, file: Any = None) -> Any:
        position, reader = self._positions[column], (file or self._file).reader
        if self.groups is None:
            return reader.read_all([position]).column(0)
        return reader.read_row_groups(self.groups, [position]).column(0)

    def _numbers(self, column: str) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = self._read(column).to_numpy()
        return numbers

    def _dictionary(self, column: str) -> tuple[list[Value], Codes]:
        loaded = self._loaded.pop(column, None)
        return decode_dictionary(self._read(column, self._coded) if loaded is None else loaded)

    @cached_property
    def _coded(self) -> Any:
        """The file opened for codes instead of values: once, for there are many columns."""
        own = OWN - {SOURCE}
        return self._with_dictionaries([name for name in self._positions if name not in own])

    @cached_property
    def _rare(self) -> Mapping[str, Cells]:
        """The columns that few rows have."""
        return cells_of(self._read(RARE).to_pylist()) if RARE in self._positions else {}

    def _rare_column(self, cells: Cells) -> tuple[list[Value], Codes]:
        return encoded_rows({row: decode_value(text) for row, text in cells.items()}, self.rows)

    @cached_property
    def _overflow(self) -> dict[str, tuple[list[Value], Codes]]:
        if OVERFLOW not in self._positions:
            return {}
        spilled: dict[str, dict[int, Value]] = {}
        for row, written in enumerate(self._read(OVERFLOW).to_pylist()):
            for name, value in orjson.loads(written or b"{}").items():
                kept = value if isinstance(value, str) else tuple(value)
                spilled.setdefault(name, {})[row] = kept
        return {name: encoded_rows(rows, self.rows) for name, rows in spilled.items()}


def rows_in(groups: Sequence[int], whole: int) -> int:
    """Return how many rows ``groups`` of a file of ``whole`` rows have."""
    return sum(min(ROWS_OF_GROUP, whole - group * ROWS_OF_GROUP) for group in groups)


class Lazy(Sequence[T]):
    """A sequence that is made when it is first looked at."""

    def __init__(self, length: int, make: Callable[[], Sequence[T]]) -> None:
        self._length = length
        self._make = make

    @cached_property
    def _items(self) -> Sequence[T]:
        return self._make()

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)


class LazyColumns(Mapping[str, Column], ABC):
    """Fields by name; each is put together when somebody first asks for it."""

    def __init__(self) -> None:
        self._known: dict[str, Column] = {}

    @property
    @abstractmethod
    def _names(self) -> Collection[str]:
        """The fields there are."""

    @abstractmethod
    def _made(self, name: str) -> Column:
        """Put the field ``name`` together; it is one of the names."""

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> Column:
        column = self._known.get(name)
        if column is None:
            if name not in self._names:
                raise KeyError(name)
            column = self._known[name] = self._made(name)
        return column


class PartColumns(LazyColumns):
    """The fields of some parts, row by row in ``order`` (None: as they come)."""

    def __init__(self, parts: Sequence[PartFile], order: NDArray[np.int64] | None) -> None:
        super().__init__()
        self._parts = parts
        self._order = order

    @cached_property
    def _names(self) -> Collection[str]:
        return frozenset().union(*(part.names for part in self._parts))

    def _made(self, name: str) -> Column:
        return self.join([part.column(name) for part in self._parts])

    def join(self, pieces: Sequence[tuple[list[Value], Codes]]) -> Column:
        """Return the parts' columns as one, in row order."""
        values, codes = unified(pieces)
        return Column(values, array_of("i", codes if self._order is None else codes[self._order]))


def batch_of(parts: Sequence[PartFile], first_seq: int = 0, last_seq: int | None = None) -> Batch:
    """Return the rows of ``parts`` with first_seq <= seq <= last_seq in ingest order."""
    seqs = np.concatenate([part.seqs() for part in parts])
    order = _order_of(seqs, first_seq, last_seq, single=len(parts) == 1)
    columns = PartColumns(parts, order)

    def taken(pieces: list[list[Any]]) -> list[Any]:
        joined = [item for piece in pieces for item in piece]
        return joined if order is None else [joined[row] for row in order.tolist()]

    times = np.concatenate([part.times() for part in parts])
    picked = seqs if order is None else seqs[order]
    count = len(picked)
    return Batch(
        ids=Lazy(count, lambda: [i.hex() for i in taken([part.ids() for part in parts])]),
        seqs=array_of("q", picked),
        times=array_of("q", times if order is None else times[order]),
        source=columns.join([part.source() for part in parts]),
        columns=columns,
        raws=Lazy(count, lambda: taken([part.raws() for part in parts])),
    )


class PartBatch(Batch):
    """The rows of one part as a batch; nothing is read before somebody asks for it."""

    def __init__(self, part: PartFile) -> None:
        object.__setattr__(self, "_part", part)

    def __len__(self) -> int:
        return self._of.rows

    @property
    def scanned(self) -> int | None:
        """Nothing was left out."""
        return None

    @property
    def until(self) -> int | None:
        """It ends where its rows end."""
        return None

    @property
    def _of(self) -> PartFile:
        part: PartFile = object.__getattribute__(self, "_part")
        return part

    @cached_property
    def ids(self) -> Sequence[str]:
        """Hex ids."""
        part = self._of  # not self: a batch that holds itself is freed late, with all its columns
        return Lazy(part.rows, lambda: [identifier.hex() for identifier in part.ids()])

    @cached_property
    def seqs(self) -> array[int]:
        """Ingest order."""
        return array_of("q", self._of.seqs())

    @cached_property
    def times(self) -> array[int]:
        """Event times."""
        return array_of("q", self._of.times())

    @cached_property
    def source(self) -> Column:
        """Sources."""
        return PartColumns([self._of], None).join([self._of.source()])

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Fields."""
        return PartColumns([self._of], None)

    @cached_property
    def raws(self) -> Sequence[bytes]:
        """Raw lines."""
        return Lazy(len(self), self._of.raws)


def places_of(part: PartFile, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where ``rows`` of what is opened of ``part`` stand in the whole file."""
    if part.groups is None:
        return rows
    starts = np.array(part.groups, dtype=np.int64) * ROWS_OF_GROUP
    return starts[rows // ROWS_OF_GROUP] + rows % ROWS_OF_GROUP


def events_at(part: PartFile, rows: Sequence[int]) -> list[StoredEvent]:
    """Return the events on ``rows`` of ``part``, whole; only their row groups are read."""
    table = part.rows_of(rows)
    columns = {name: table.column(name).to_pylist() for name in table.schema.names}
    events = []
    for n in range(len(rows)):
        fields: dict[str, Value] = {
            name_of(column): decode_value(texts[n])
            for column, texts in columns.items()
            if column not in OWN and texts[n] is not None
        }
        for name, value in orjson.loads((columns.get(OVERFLOW) or {n: None})[n] or b"{}").items():
            fields[name] = value if isinstance(value, str) else tuple(value)
        for column, text in orjson.loads((columns.get(RARE) or {n: None})[n] or b"{}").items():
            fields[name_of(column)] = decode_value(text)
        event = LogEvent(
            columns[ID][n].hex(),
            str(decode_value(columns[SOURCE][n])),
            columns[AT][n],
            columns[INGESTED][n],
            fields,
            columns[RAW][n],
        )
        events.append(StoredEvent(columns[SEQ][n], event))
    return events


def _order_of(
    seqs: NDArray[np.int64], first_seq: int, last_seq: int | None, *, single: bool
) -> NDArray[np.int64] | None:
    inside = seqs >= first_seq
    if last_seq is not None:
        inside &= seqs <= last_seq
    if single and inside.all():
        return None
    rows = np.flatnonzero(inside)
    order: NDArray[np.int64] = rows[np.argsort(seqs[rows], kind="stable")]
    return order
