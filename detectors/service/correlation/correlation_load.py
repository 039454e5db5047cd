"""Loads to measure correlations with: the same at every run, made before the clock starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from detectors.core.correlation.episodes import episodes_of
from detectors.core.correlation.parser import read_correlation
from detectors.core.correlation.sliding import count_runs, order_of
from detectors.models.correlation import Match
from detectors.models.rules import RuleHeader
from secops.kernel.clock import SECOND

_DAYS: Final = 3
_WINDOW: Final = 300 * SECOND
_LEAST: Final = 3


def spread_count(hits: int, groups: int) -> Callable[[], int]:
    """Return the work of counting ``hits`` over three days: 3 in 5 minutes; gives episodes."""
    # splitmix64: spread over groups and times as by chance
    mixed = np.arange(hits, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    codes = (mixed % np.uint64(groups)).astype(np.int64)
    seconds = (mixed >> np.uint64(20)) % np.uint64(_DAYS * 86_400)
    times = seconds.astype(np.int64) * SECOND

    def work() -> int:
        order = order_of(codes, times)
        return len(count_runs(codes[order], times[order], _WINDOW, _LEAST)[0])

    return work


def hostile_group(hits: int, kind: str, more: Mapping[str, Any]) -> Callable[[], int]:
    """Return the work of judging one group with a hit each second and windows of an hour."""
    header = RuleHeader("bench", "bench", "low", "stable", "1", "bench.yml")
    section = {"type": kind, "rules": ["a"], "timespan": "1h", **more}
    correlation = read_correlation(section, header)
    rules = len(correlation.rules)
    matches = [
        Match((), n * SECOND, f"{n:06d}", 1 << n % rules, (f"{n * 7_919 % 100_003}",))
        for n in range(hits)
    ]
    return lambda: len(episodes_of(correlation, matches))
