"""event_count: a group fires while its window holds enough matches, exactly by event time.

W(i) = matches with t_i - T <= t <= t_i (both ends count). An episode is a connected run of
firing windows: two of them belong together when they share a match.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Match:
    """An event that counts, at event time ``at`` (UTC microseconds)."""

    at: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Episode:
    """A run of firing windows; ``matches`` in order, the first one names the episode."""

    matches: tuple[Match, ...]

    @property
    def first_at(self) -> int:
        """When it began."""
        return self.matches[0].at

    @property
    def last_at(self) -> int:
        """When it ended."""
        return self.matches[-1].at

    @property
    def first_event(self) -> str:
        """The first event of the first firing window."""
        return self.matches[0].event_id


def episodes(matches: Iterable[Match], timespan: int, least: int) -> list[Episode]:
    """Return the episodes of one group: windows of ``timespan`` with at least ``least``.

    The same match given twice counts once. O(n log n).
    """
    ordered = sorted(set(matches))
    times = [match.at for match in ordered]
    runs: list[tuple[int, int]] = []
    end = 0
    while end < len(ordered):
        end = bisect_right(times, times[end])
        start = bisect_left(times, times[end - 1] - timespan)
        if end - start < least:
            continue
        if runs and start < runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return [Episode(tuple(ordered[start:end])) for start, end in runs]
