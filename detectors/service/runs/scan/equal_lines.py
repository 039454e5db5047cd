"""Which number among equal lines of its file a record has: part of what its id is made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.int64]


class EqualLines:
    """Counts, block by block, how many equal lines precede a record. 8 bytes a record.

    Lines are compared by a 64-bit keyed hash (Python's, keyed anew in each process): among
    10 million lines of one file two unequal ones are taken for equal once in 370,000 files.
    """

    def __init__(self) -> None:
        self._sorted: list[Hashes] = []

    def numbers(self, hashes: Hashes, wanted: list[int]) -> list[int]:
        """Add a block; return the numbers of its records at the positions ``wanted``."""
        found = []
        for position in wanted:
            mine = hashes[position]
            before = int(np.count_nonzero(hashes[:position] == mine))
            for known in self._sorted:
                low = np.searchsorted(known, mine, side="left")
                before += int(np.searchsorted(known, mine, side="right") - low)
            found.append(before)
        self._sorted.append(np.sort(hashes))
        return found
