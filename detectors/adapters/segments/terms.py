"""Beside each greater part a file of keys: which row groups can hold a value at all.

``<part>.terms`` is a sorted array of 32-bit keys and, after it, for each a 32-bit set of row
groups (group n is bit n mod 32). It is derived from the part and can be left out: then
everything is read. Its SHA-256 stands in the part's Parquet footer, whose digest is in the
ledger, so that ``logs verify`` sees a file that was changed to hide events.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.adapters.segments.cells import decode_dictionary
from detectors.adapters.segments.parts import OVERFLOW, OWN, ROWS_OF_GROUP, name_of
from detectors.ports import QueryPruner
from secops.kernel.logs import Value

SUFFIX: Final = ".terms"
FOOTER: Final = "govsecops.terms.sha256"
LEAST_ROWS: Final = 4_096
"""Parts below are read whole: that costs less than one more file."""
EVERYWHERE: Final = (1 << 32) - 1
_OPENED: Final = 1_024
Bits = NDArray[np.uint32]


def terms_of(table: Any, pruner: QueryPruner) -> bytes | None:
    """Return the keys of ``table``; None for one that is read whole anyway.

    A table with an overflow column (more than 2,000 fields) has none, too.
    """
    if table.num_rows < LEAST_ROWS or OVERFLOW in table.schema.names:
        return None
    keys: list[Bits] = []
    groups: list[Bits] = []
    for column in table.schema.names:
        if column in OWN:
            continue
        values, codes = decode_dictionary(table.column(column))
        bits = _groups_of(codes, len(values))
        name = name_of(column)
        for found, places in _keyed(name, values, pruner):
            keys.append(found)
            groups.append(bits[places])
        keys.append(np.array([pruner.presence_key(name)], dtype=np.uint32))
        groups.append(np.bitwise_or.reduce(bits, keepdims=True) if len(bits) else _none())
    if not keys:
        return b""
    return _packed(np.concatenate(keys), np.concatenate(groups))


def _none() -> Bits:
    return np.zeros(1, dtype=np.uint32)


def _keyed(
    name: str, values: Sequence[Value], pruner: QueryPruner
) -> Iterator[tuple[Bits, NDArray[np.int64]]]:
    found, places = pruner.keys_of(name, values)
    yield np.array(found, dtype=np.uint32), np.array(places, dtype=np.int64)


def _groups_of(codes: NDArray[np.int32], count: int) -> Bits:
    """Return for each value the row groups in which it stands."""
    bits = np.zeros(count, dtype=np.uint32)
    for group, begin in enumerate(range(0, len(codes), ROWS_OF_GROUP)):
        inside = codes[begin : begin + ROWS_OF_GROUP]
        bits[inside[inside >= 0]] |= np.uint32(1 << (group % 32))
    return bits


def _packed(keys: Bits, groups: Bits) -> bytes:
    order = np.argsort(keys, kind="stable")
    keys, groups = keys[order], groups[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[first].tobytes() + np.bitwise_or.reduceat(groups, first).tobytes()


class TermFiles:
    """Opens the files of keys; the last thousand stay mapped (parts never change)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: OrderedDict[str, tuple[Bits, Bits] | None] = OrderedDict()
        self._lock = Lock()

    def open(self, file: str) -> tuple[Bits, Bits] | None:
        """Return the keys and row groups of the part ``file``; None where it has none."""
        with self._lock:
            if file in self._opened:
                self._opened.move_to_end(file)
                return self._opened[file]
        found = _mapped(self._folder / file_of(file))
        with self._lock:
            self._opened[file] = found
            if len(self._opened) > _OPENED:
                self._opened.popitem(last=False)
        return found


def file_of(part: str) -> str:
    """Return the file of keys of the part's ``file``."""
    return part.removesuffix(".parquet") + SUFFIX


def look_up(terms: tuple[Bits, Bits], key: int) -> int:
    """Return the row groups of ``key``, as bits."""
    keys, groups = terms
    place = int(np.searchsorted(keys, np.uint32(key)))
    return int(groups[place]) if place < len(keys) and keys[place] == key else 0


def _mapped(path: Path) -> tuple[Bits, Bits] | None:
    try:
        if path.stat().st_size == 0:
            return None
        both = np.memmap(path, dtype="<u4", mode="r")
    except FileNotFoundError:
        return None
    half = len(both) // 2
    return both[:half], both[half:]
