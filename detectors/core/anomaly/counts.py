"""Sparse counts by the hash of what is counted: compact, exact, and without the values.

A key is 8 bytes of BLAKE2b over (scope, feature, value path). Among 10 million keys the chance
that any two are equal is 3 in a million; a collision would add two counts, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]


@lru_cache(maxsize=65_536)
def key_of(scope: str, feature: str, path: tuple[str, ...]) -> int:
    """Return the 64-bit key of a count."""
    text = "\x00".join((scope, feature, *path))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(slots=True)
class Tally:
    """Counts while they grow."""

    counts: dict[int, float] = field(default_factory=dict)

    def add(self, key: int, amount: float = 1.0) -> float:
        """Add ``amount`` and return what was there before."""
        before = self.counts.get(key, 0.0)
        self.counts[key] = before + amount
        return before

    def frozen(self) -> Counts:
        """Return the counts as arrays."""
        keys = np.fromiter(self.counts.keys(), np.uint64, len(self.counts))
        values = np.fromiter(self.counts.values(), np.float64, len(self.counts))
        order = np.argsort(keys, kind="stable")
        return Counts(keys[order], values[order])


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts that are looked up: ``keys`` ascending, ``values`` beside them."""

    keys: Keys
    values: Floats

    def of(self, wanted: Sequence[int]) -> list[float]:
        """Return the counts of ``wanted``, 0 for what was never counted."""
        if not len(self.keys):
            return [0.0] * len(wanted)
        asked = np.array(wanted, np.uint64)
        places = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        found: Any = np.where(self.keys[places] == asked, self.values[places], 0.0).tolist()
        return list(found)


def prefixes(path: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Yield ``()`` and every longer beginning of ``path``, itself last."""
    return (path[:length] for length in range(len(path) + 1))
