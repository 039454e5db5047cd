"""From a trial over stored history to what a rule would raise: alerts a day, with an interval.

Days are UTC days of event time. The mean is the alerts of the whole days looked at; its
interval takes the greater of Poisson's variance and the one between days (alerts come in
bursts), 95 %: m ± 1.96 · √(v/n). Where n days were quiet, the bound is 3/n (rule of three).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from secops.kernel.clock import DAY

_Z = 1.96
_QUIET = 3.0


@dataclass(frozen=True, slots=True)
class Volume:
    """Alerts a day: the mean with its interval, and each day's count in order."""

    days: tuple[tuple[int, int], ...]
    mean: float
    low: float
    high: float


def volume(times: Iterable[int], first: int, last: int) -> Volume:
    """Return the volume of alerts at ``times`` over events from ``first`` to ``last``."""
    start, end = first // DAY, last // DAY
    counted = Counter(at // DAY for at in times)
    days = tuple((day * DAY, counted.get(day, 0)) for day in range(start, end + 1))
    counts = [count for _, count in days]
    # the first and the last day are rarely whole: the span, not their number, is the measure
    length = max((last - first) / DAY, 1.0)
    mean = sum(counts) / length
    if not sum(counts):
        return Volume(days, 0.0, 0.0, _QUIET / length)
    half = _Z * math.sqrt(max(mean, _variance(counts)) / length)
    return Volume(days, mean, max(0.0, mean - half), mean + half)


def _variance(counts: Sequence[int]) -> float:
    if len(counts) == 1:
        return 0.0
    mean = sum(counts) / len(counts)
    return sum((count - mean) ** 2 for count in counts) / (len(counts) - 1)
