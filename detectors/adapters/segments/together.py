"""Pieces of stored events as one batch: columns that know only the rows that have a value.

Many small files cost the reader of a batch less than one after the other: what is done once a
batch is done once. Values stay as the files have them, so one may stand in a column twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from detectors.adapters.segments.cells import Chunk, Codes, array_of, chunk_of, unified
from detectors.adapters.segments.parts import ID, column_of, decode_value
from detectors.adapters.segments.reader import Lazy, LazyColumns, PartFile
from detectors.models.columns import Placed, SparseColumn
from detectors.models.logs import StoredPiece
from secops.kernel.logs import Batch, Column, Value

_HEX: int = 64
_NONE = np.empty(0, dtype=np.int64)


class PieceFile(PartFile):
    """A file whose columns are taken chunk by chunk, in its own codes."""

    def chunks(self, name: str) -> Iterator[Chunk]:
        """Yield what stands in field ``name``, from the first row on; best after ``load``."""
        column = column_of(name)
        if column in self._loaded and name not in self._overflow:
            first = 0
            for chunk in self._loaded[column].chunks:
                yield chunk_of(chunk, first)
                first += len(chunk)
        elif column in self._rare:
            cells = self._rare[column]
            rows = np.fromiter(cells, np.int64, len(cells))
            at = np.arange(len(cells), dtype=np.int32)
            yield Chunk([decode_value(text) for text in cells.values()], lambda: (rows, at))
        else:
            values, codes = self.column(name)
            there = np.flatnonzero(codes >= 0)
            yield Chunk(values, lambda: (there, codes[there]))

    def id_bytes(self) -> bytes:
        """Return the rows' ids, 32 bytes each, one after the other."""
        chunks = self._read(ID).chunks
        return b"".join(
            each.buffers()[1][32 * each.offset : 32 * (each.offset + len(each))].to_pybytes()
            for each in chunks
        )


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows of one file that were asked for: from ``low`` up to ``high``; ``first`` of a batch."""

    part: PieceFile
    low: int
    high: int
    first: int

    def source(self) -> tuple[list[Value], Codes]:
        """Return the sources of these rows."""
        values, codes = self.part.source()
        return values, codes[self.low : self.high]

    def placed(self, rows: NDArray[np.int64], at: NDArray[np.int32]) -> Placed:
        """Return where the file's ``rows`` stand in the batch; others are left out."""
        if len(rows) and (rows[0] < self.low or rows[-1] >= self.high):
            inside = (rows >= self.low) & (rows < self.high)
            rows, at = rows[inside], at[inside]
        return rows + (self.first - self.low), at


def read_together(folder: Path, pieces: Sequence[StoredPiece]) -> Batch:
    """Return the rows of ``pieces``, one after the other; raise ``OSError`` for a missing file.

    They are in ingest order within each piece only.
    """
    stretches: list[_Stretch] = []
    seqs: list[NDArray[np.int64]] = []
    times: list[NDArray[np.int64]] = []
    first = 0
    for piece in pieces:
        part = PieceFile(folder / piece.file, piece.groups)
        part.load()
        mine = part.seqs()
        low = int(np.searchsorted(mine, piece.first_seq))
        high = int(np.searchsorted(mine, piece.last_seq, side="right"))
        stretches.append(_Stretch(part, low, high, first))
        seqs.append(mine[low:high])
        times.append(part.times()[low:high])
        first += high - low
    sources, codes = unified([stretch.source() for stretch in stretches])
    return Batch(
        ids=_Ids(stretches, first),
        seqs=array_of("q", np.concatenate([_NONE, *seqs])),
        times=array_of("q", np.concatenate([_NONE, *times])),
        source=Column(sources, array_of("i", codes)),
        columns=_Columns(stretches, first),
        raws=Lazy(first, lambda: [raw for s in stretches for raw in s.part.raws()[s.low : s.high]]),
        until=max((int(mine[-1]) for mine in seqs if len(mine)), default=0),
    )


class _Columns(LazyColumns):
    """The fields of some stretches, each knowing only the rows that have it."""

    def __init__(self, stretches: Sequence[_Stretch], length: int) -> None:
        super().__init__()
        self._length = length
        self._having: dict[str, list[_Stretch]] = {}
        for stretch in stretches:
            for name in stretch.part.names:
                self._having.setdefault(name, []).append(stretch)

    @property
    def _names(self) -> Collection[str]:
        return self._having.keys()

    def _made(self, name: str) -> Column:
        found = [(s, chunk) for s in self._having[name] for chunk in s.part.chunks(name)]
        values: list[Value] = []
        starts = []
        for _, chunk in found:
            starts.append(len(values))
            values += chunk.values

        def place() -> Placed:
            places = []
            for (stretch, chunk), start in zip(found, starts, strict=True):
                rows, at = stretch.placed(*chunk.place())
                places.append((rows, at + np.int32(start)))
            if len(places) == 1:
                return places[0]
            rows, codes = (np.concatenate(each) for each in zip(*places, strict=True))
            return rows, codes

        return SparseColumn(values, place, self._length)


class _Ids(Sequence[str]):
    """Ids as hex texts, made where they are asked for: most rows' never are."""

    def __init__(self, stretches: Sequence[_Stretch], length: int) -> None:
        self._stretches = stretches
        self._length = length

    @cached_property
    def _text(self) -> str:
        parts = (s.part.id_bytes()[32 * s.low : 32 * s.high] for s in self._stretches)
        return b"".join(parts).hex()

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(self._length))]
        if not 0 <= index < self._length:
            raise IndexError(index)
        return self._text[_HEX * index : _HEX * (index + 1)]
