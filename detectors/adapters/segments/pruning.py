"""Which row groups of which parts a query has to read, and the rows that were found there."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.adapters.segments.manifest import Part
from detectors.adapters.segments.parts import ROWS_OF_GROUP
from detectors.adapters.segments.reader import PartBatch, PartFile
from detectors.adapters.segments.terms import EVERYWHERE, TermFiles, look_up
from detectors.ports import QueryEvaluator
from secops.kernel.logs import Query, Window

Mask = NDArray[np.bool_]
_REMEMBERED: Final = 16 << 20
_GROUP_BITS: Final = 32


class Found:
    """The rows of a part for which a query holds: of some row groups, by a mask."""

    def __init__(self, file: PartFile, mask: Mask) -> None:
        self.file = file
        self.batch = PartBatch(file)
        self.mask = mask


class PartSearch:
    """Answers queries on parts. What a query found in a part is remembered: parts never change.

    A page with a histogram and facets asks the same query ten times.
    """

    def __init__(self, folder: Path, evaluator: QueryEvaluator) -> None:
        self._folder = folder
        self._evaluator = evaluator
        self._terms = TermFiles(folder)
        self._known: OrderedDict[tuple[str, Query, Window], tuple[list[int] | None, bytes]] = (
            OrderedDict()
        )
        self._size = 0
        self._lock = Lock()

    def window(self, query: Query, window: Window) -> Window:
        """Return ``window`` narrowed by what the query says of time."""
        return self._evaluator.possible_window(query, window)

    def find(self, part: Part, query: Query, window: Window) -> Found | None:
        """Return the rows; None where there is none."""
        key = (part.file, query, _around(part, window))
        known = self._recall(key)
        if known is None:
            known = self._find(part, query, key[2])
            self._remember(key, known)
        groups, packed = known
        if groups == []:
            return None
        file = PartFile(self._folder / part.file, groups)
        mask = np.unpackbits(np.frombuffer(packed, np.uint8), count=file.rows).astype(np.bool_)
        return Found(file, mask)

    def _find(self, part: Part, query: Query, window: Window) -> tuple[list[int] | None, bytes]:
        groups = self._groups(part, query)
        if groups == []:
            return [], b""
        batch = PartBatch(PartFile(self._folder / part.file, groups))
        mask = self._mask(batch, query, window)
        return (groups, np.packbits(mask).tobytes()) if mask.any() else ([], b"")

    def _groups(self, part: Part, query: Query) -> list[int] | None:
        """Return the row groups in which ``query`` can hold; None is all of them."""
        count = -(-part.rows // ROWS_OF_GROUP)
        terms = self._terms.open(part.file)
        ask = partial(look_up, terms) if terms is not None else _anywhere
        bits = self._evaluator.possible_places(query, ask, EVERYWHERE, part.sources)
        groups = [group for group in range(count) if bits >> (group % _GROUP_BITS) & 1]
        return None if len(groups) == count else groups

    def _mask(self, batch: PartBatch, query: Query, window: Window) -> Mask:
        mask = np.ones(len(batch), dtype=np.bool_)
        if window.since is not None or window.until is not None:
            times = np.frombuffer(batch.times, dtype=np.int64)
            if window.since is not None:
                mask &= times >= window.since
            if window.until is not None:
                mask &= times < window.until
        return mask & self._evaluator.matching_rows(query, batch) if mask.any() else mask

    def _recall(self, key: tuple[str, Query, Window]) -> tuple[list[int] | None, bytes] | None:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
            return known

    def _remember(
        self, key: tuple[str, Query, Window], found: tuple[list[int] | None, bytes]
    ) -> None:
        with self._lock:
            if key in self._known:
                return
            self._known[key] = found
            self._size += _cost(found)
            while self._size > _REMEMBERED:
                _, gone = self._known.popitem(last=False)
                self._size -= _cost(gone)


def _anywhere(_key: int) -> int:
    return EVERYWHERE


def _cost(found: tuple[list[int] | None, bytes]) -> int:
    return 1_000 + len(found[1])


def _around(part: Part, window: Window) -> Window:
    """Return ``window`` without the bounds that hold for every row of ``part``."""
    since = None if window.since is None or part.first_at >= window.since else window.since
    until = None if window.until is None or part.last_at < window.until else window.until
    return Window(since, until)
