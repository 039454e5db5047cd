"""How fast correlations are judged: CPU-seconds over a million hits, and over hostile groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from detectors.core.correlation.model import Correlation
    from detectors.models.correlation import Match

_HITS: Final = 1_000_000
_GROUPS: Final = 9_000
_DAYS: Final = 3
_HOSTILE: Final = 100_000
_SECOND: Final = 1_000_000
_TYPES: Final[Sequence[tuple[str, dict[str, Any]]]] = (
    ("value_count", {"condition": {"gte": 3, "field": "f"}}),
    ("temporal_ordered", {"rules": list("abcdefgh")}),
    ("value_percentile", {"condition": {"gte": 3, "field": "f", "percentile": 95}}),
)


def figures() -> list[dict[str, Any]]:
    """Return the figures of correlations."""
    return [_million(), *(_hostile(kind, more) for kind, more in _TYPES)]


def _million() -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415 - quick --help

    from detectors.core.correlation.sliding import count_runs, order_of  # noqa: PLC0415

    # splitmix64: spread over groups and times as by chance, the same at every run
    mixed = np.arange(_HITS, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    groups = (mixed % np.uint64(_GROUPS)).astype(np.int64)
    seconds_of_all = np.uint64(_DAYS * 86_400)
    times = ((mixed >> np.uint64(20)) % seconds_of_all).astype(np.int64) * _SECOND

    def work() -> int:
        order = order_of(groups, times)
        runs = count_runs(groups[order], times[order], 300 * _SECOND, 3)
        return len(runs[0])

    found, seconds = _measured(work)
    what = f"{_HITS} hits in {_GROUPS} groups, 3 in 5 minutes, {found} episodes; bar 0.5"
    return _figure("exact sliding count", seconds, what)


def _hostile(kind: str, more: dict[str, Any]) -> dict[str, Any]:
    """One group with a hit each second, all of which fire: every window shares matches."""
    from detectors.core.correlation.episodes import episodes_of  # noqa: PLC0415 - quick --help
    from detectors.core.correlation.parser import read_correlation  # noqa: PLC0415
    from detectors.models.rules import RuleHeader  # noqa: PLC0415

    header = RuleHeader("bench", "bench", "low", "stable", "1", "bench.yml")
    section = {"type": kind, "rules": ["a"], "timespan": "1h", **more}
    correlation = read_correlation(section, header)
    matches = _matches(correlation)
    found, seconds = _measured(lambda: len(episodes_of(correlation, matches)))
    what = f"{_HOSTILE} hits of one group, a window of an hour, {found} episode"
    return _figure(f"{kind} over a hostile group", seconds, what)


def _matches(correlation: Correlation) -> list[Match]:
    from detectors.models.correlation import Match  # noqa: PLC0415 - quick --help

    rules = len(correlation.rules)
    return [
        Match((), n * _SECOND, f"{n:06d}", 1 << n % rules, (f"{n * 7_919 % 100_003}",))
        for n in range(_HOSTILE)
    ]


def _measured(work: Callable[[], int]) -> tuple[int, float]:
    started = time.process_time()
    found = work()
    return found, max(time.process_time() - started, 1e-6)


def _figure(name: str, seconds: float, circumstances: str) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(seconds, 3),
        "unit": "CPU-s",
        "per_cpu_second": False,
        "circumstances": circumstances,
    }
