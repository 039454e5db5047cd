"""Counts by field and by time, on batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np

from detectors.core.events.text import texts_of
from detectors.core.query.evaluate import Mask, field_values
from secops.kernel.clock import SECOND, to_rfc3339
from secops.kernel.logs import Aggregation, Batch, Bucket

Key = tuple[Any, ...]
_GREATEST: Final = 1 << 62
_DENSE: Final = 4
"""Up to so many possible rows for each there is, counting into places beats sorting."""


def count_rows(batch: Batch, mask: Mask, by: Aggregation) -> Counter[Key]:
    """Count the rows of ``mask`` by time and fields; rows without a field are not counted.

    A list counts once for each of its different elements. A key's time is the start of its
    interval in UTC microseconds.
    """
    rows = np.flatnonzero(mask)
    codes: list[Any] = []
    values: list[list[tuple[Any, ...]]] = []
    if by.interval is not None:
        width = by.interval * SECOND
        times = np.frombuffer(batch.times, dtype=np.int64)[rows] // width * width
        starts, inverse = np.unique(times, return_inverse=True)
        codes.append(inverse.astype(np.int64))
        values.append([(int(start),) for start in starts])
    for name in by.fields:
        column = field_values(batch, name)
        if column is None:
            return Counter()
        codes.append(np.frombuffer(column.codes, dtype=np.int32)[rows].astype(np.int64))
        values.append([tuple(dict.fromkeys(texts_of(value))) for value in column.values])
    if not codes:
        return Counter({(): len(rows)}) if len(rows) else Counter()
    return _counted(np.stack(codes, axis=1), values)


def buckets_of(counts: Counter[Key], by: Aggregation) -> list[Bucket]:
    """Return ``counts`` as buckets: by time ascending, else greatest first, then by key."""
    if by.interval is None:
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    else:
        ordered = sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0]))
    return [Bucket(_as_text(key, by), count) for key, count in ordered[: by.limit]]


def _counted(codes: Any, values: list[list[tuple[Any, ...]]]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    present = codes[(codes >= 0).all(axis=1)]
    combinations, numbers = combined(present, [len(each) for each in values])
    for combination, number in zip(combinations.tolist(), numbers.tolist(), strict=True):
        lists = (values[level][code] for level, code in enumerate(combination))
        for key in product(*lists):
            counts[key] += number
    return counts


def combined(codes: Any, sizes: Sequence[int]) -> tuple[Any, Any]:
    """Return the different rows of ``codes``, in order, and how often each stands there.

    Column i holds numbers from 0 to ``sizes[i]`` - 1. A row becomes one number, for sorting
    rows takes many times as long; where that number is too great, rows are sorted.
    """
    whole = prod(sizes)
    if whole > _GREATEST or not len(codes):
        return np.unique(codes, axis=0, return_counts=True)
    numbers = np.ravel_multi_index(tuple(codes.T), tuple(sizes))
    if whole <= _DENSE * len(numbers):
        counts = np.bincount(numbers)
        found = np.flatnonzero(counts)
        counts = counts[found]
    else:
        found, counts = np.unique(numbers, return_counts=True)
    return np.stack(np.unravel_index(found, tuple(sizes)), axis=1), counts


def _as_text(key: Key, by: Aggregation) -> tuple[str, ...]:
    if by.interval is None:
        return key
    return (to_rfc3339(key[0]), *key[1:])
