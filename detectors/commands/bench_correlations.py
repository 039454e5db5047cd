"""How fast correlations are judged: CPU-seconds over a million hits, and over hostile groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

_GROUPS: Final = 9_000
_TYPES: Final[Sequence[tuple[str, dict[str, Any]]]] = (
    ("value_count", {"condition": {"gte": 3, "field": "f"}}),
    ("temporal_ordered", {"rules": list("abcdefgh")}),
    ("value_percentile", {"condition": {"gte": 3, "field": "f", "percentile": 95}}),
)


@dataclass(frozen=True, slots=True)
class Loads:
    """How much is measured: log lines, hits in many groups, hits of one group."""

    lines: int
    hits: int
    hostile: int


FULL: Final = Loads(lines=50_000, hits=1_000_000, hostile=100_000)


def figures(loads: Loads = FULL) -> list[dict[str, Any]]:
    """Return the figures of correlations."""
    from detectors.service.correlation.correlation_load import (  # noqa: PLC0415 - quick --help
        hostile_group,
        spread_count,
    )

    found, seconds = _measured(spread_count(loads.hits, _GROUPS))
    what = f"{loads.hits} hits in {_GROUPS} groups, 3 in 5 minutes, {found} episodes; bar 0.5"
    all_figures = [_figure("exact sliding count", seconds, what)]
    for kind, more in _TYPES:
        found, seconds = _measured(hostile_group(loads.hostile, kind, more))
        what = f"{loads.hostile} hits of one group, windows of an hour; episodes: {found}"
        all_figures.append(_figure(f"{kind} over a hostile group", seconds, what))
    return all_figures


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
