"""Bars of a histogram: which step suits a span, and where a day begins for its reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import gcd
from typing import Final

from detectors.models.search import Histogram, TimeBar
from secops.kernel.clock import SECOND, from_rfc3339
from secops.kernel.logs import Bucket

STEPS: Final = (
    1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000,
)  # fmt: skip
"""Seconds that a bar may be wide."""
MAX_BARS: Final = 2_000


def step_for(since: int, until: int, most: int) -> int:
    """Return the smallest step that shows the span (UTC microseconds) in ``most`` bars."""
    seconds = max(until - since, 1) / SECOND
    return next((step for step in STEPS if seconds / step <= most), STEPS[-1])


def counted_step(step: int, offset: int) -> int:
    """Return the step to count by so that bars can begin at local times.

    Stores count from 1970 in UTC; a day in Beijing begins at 16:00 of UTC's.
    """
    return gcd(step, abs(offset)) if offset % step else step


def histogram_of(buckets: Sequence[Bucket], step: int, offset: int) -> Histogram:
    """Return the bars of ``buckets`` (whose keys are times), empty ones between them too.

    ``offset`` is the reader's seconds east of UTC. At most 2,000 bars: the newest.
    """
    width, shift = step * SECOND, offset * SECOND
    counts: Counter[int] = Counter()
    for bucket in buckets:
        at = from_rfc3339(bucket.key[0])
        counts[(at + shift) // width * width - shift] += bucket.count
    if not counts:
        return Histogram(step, (), 0)
    last = max(counts)
    first = max(min(counts), last - (MAX_BARS - 1) * width)
    bars = tuple(TimeBar(start, counts[start]) for start in range(first, last + 1, width))
    return Histogram(step, bars, counts.total())
