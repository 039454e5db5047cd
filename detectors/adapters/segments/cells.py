"""Columns of files as values and codes: read from Arrow, made of rows, put together."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.adapters.segments.parts import decode_value
from detectors.models.columns import Placed
from secops.kernel.logs import Value

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some values of a field, and what says on which rows of the file which of them stands."""

    values: list[Value]
    place: Callable[[], Placed]


def chunk_of(encoded: Any, first: int) -> Chunk:
    """Return a chunk of an Arrow dictionary column; its first row is ``first``."""
    indices = encoded.indices

    def place() -> Placed:
        valid, data = indices.buffers()
        start, end = indices.offset, indices.offset + len(indices)
        codes = np.frombuffer(data, dtype=np.int32, count=end)[start:]
        if valid is None:
            return np.arange(first, first + len(codes), dtype=np.int64), codes
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), count=end, bitorder="little")
        rows = np.flatnonzero(bits[start:])
        return rows + first, codes[rows]

    texts: list[str] = encoded.dictionary.to_pylist()
    content = encoded.dictionary.buffers()[-1]
    if content is not None and b"\x00" in content.to_pybytes():
        return Chunk([decode_value(text) for text in texts], place)
    return Chunk([*texts], place)


def decode_dictionary(chunked: Any) -> tuple[list[Value], Codes]:
    """Return an Arrow dictionary column as values and codes."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    is_one = chunked.num_chunks == 1
    encoded = chunked.chunk(0) if is_one else chunked.unify_dictionaries().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    texts: list[str] = encoded.dictionary.to_pylist()
    if pc.any(pc.starts_with(encoded.dictionary, "\x00")).as_py():
        return [decode_value(text) for text in texts], codes
    plain: list[Value] = [*texts]
    return plain, codes


def encoded_rows(rows: Mapping[int, Value], count: int) -> tuple[list[Value], Codes]:
    """Return the values on some of ``count`` rows as values and codes."""
    known: dict[Value, int] = {}
    codes = np.full(count, -1, dtype=np.int32)
    for row, value in rows.items():
        codes[row] = known.setdefault(value, len(known))
    return list(known), codes


def unified(pieces: Sequence[tuple[list[Value], Codes]]) -> tuple[Sequence[Value], Codes]:
    """Return columns that follow each other as one, each value once."""
    if len(pieces) == 1:
        return pieces[0]
    known: dict[Value, int] = {}
    joined: list[Codes] = [np.empty(0, dtype=np.int32)]
    for values, codes in pieces:
        lookup = np.empty(len(values) + 1, dtype=np.int32)
        lookup[-1] = -1  # where code -1 looks
        for code, value in enumerate(values):
            lookup[code] = known.setdefault(value, len(known))
        joined.append(lookup[codes])
    return list(known), np.concatenate(joined)


def array_of(kind: str, numbers: NDArray[Any]) -> array[int]:
    """Return ``numbers`` as an array of that kind."""
    made: array[int] = array(kind)
    made.frombytes(np.ascontiguousarray(numbers).tobytes())
    return made
