"""Which ids are stored: per segment a sorted array of 64-bit fingerprints with their seqs.

A hit is only a hint: the writer compares the whole id before it calls an event known. With
64 bits alone somebody could make a line collide with another one and so suppress it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_DIGITS: Final = 16
_DTYPE: Final = np.dtype([("fp", "<u8"), ("seq", "<i8")])
Table = NDArray[Any]


def fingerprints_of(ids: Sequence[str]) -> NDArray[np.uint64]:
    """Return the first 64 bits of each hex id."""
    heads = bytes.fromhex("".join([identifier[:_DIGITS] for identifier in ids]))
    return np.frombuffer(heads, dtype=">u8").astype(np.uint64)


def table_of(fingerprints: NDArray[np.uint64], seqs: NDArray[np.int64]) -> Table:
    """Return a table sorted by fingerprint."""
    table = np.empty(len(fingerprints), dtype=_DTYPE)
    order = np.argsort(fingerprints, kind="stable")
    table["fp"] = fingerprints[order]
    table["seq"] = seqs[order]
    return table


def merge(tables: Sequence[Table]) -> Table:
    """Return the rows of several tables as one."""
    joined = np.concatenate(tables)
    return joined[np.argsort(joined["fp"], kind="stable")]


def load(path: Path) -> Table:
    """Map the table at ``path`` into memory."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype=_DTYPE)
    return np.memmap(path, dtype=_DTYPE, mode="r")


def to_bytes(table: Table) -> bytes:
    """Return ``table`` as it lies in its file."""
    return table.tobytes()


def candidates(table: Table, wanted: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Return (index into ``wanted``, seq) for each fingerprint of ``wanted`` in ``table``."""
    keys = table["fp"]
    low = np.searchsorted(keys, wanted, side="left")
    high = np.searchsorted(keys, wanted, side="right")
    hits = np.flatnonzero(high > low)
    return [
        (int(index), int(seq)) for index in hits for seq in table["seq"][low[index] : high[index]]
    ]
