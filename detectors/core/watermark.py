"""How far event time has got, whatever the wall clock does.

The watermark is the instant before which no more events are awaited: the least of the newest
event times of the sources that are live, less the allowed lateness. A source that gave
nothing for longer than its own silence holds nobody back. It never goes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from secops.kernel.clock import MINUTE, SECOND

SETTLING = 10 * MINUTE
"""How long a clock that was set must keep its new time before event time follows it."""
STEP = 5 * SECOND
"""Differences up to this are followed at once: they are drift, not a jump."""


@dataclass(frozen=True, slots=True)
class SteadyTime:
    """Wall time that a jump of the clock does not move.

    ``offset`` is wall less monotonic time, microseconds; ``jumped`` the new offset of a clock
    that was set, seen first at ``jumped_at`` (monotonic microseconds).
    """

    offset: int
    jumped: int | None = None
    jumped_at: int = 0

    def now(self, monotonic: int) -> int:
        """Return the instant, UTC microseconds."""
        return monotonic + self.offset


def follow(steady: SteadyTime | None, wall: int, monotonic: int) -> SteadyTime:
    """Return the steady time after a look at both clocks (microseconds)."""
    offset = wall - monotonic
    if steady is None or abs(offset - steady.offset) <= STEP:
        return SteadyTime(offset)
    if steady.jumped is None or abs(offset - steady.jumped) > STEP:
        return SteadyTime(steady.offset, offset, monotonic)
    if monotonic - steady.jumped_at >= SETTLING:
        return SteadyTime(offset)
    return steady


@dataclass(frozen=True, slots=True)
class SourceTime:
    """A source: its newest event time, how long it has been idle and may be (microseconds)."""

    newest: int
    idle: int
    silence: int


def watermark(
    sources: Iterable[SourceTime], now: int, lateness: int, before: int | None = None
) -> int:
    """Return the watermark at steady time ``now``; ``before`` is the one there was.

    An event time in the future counts as now. Without a live source time itself passes.
    """
    live = [min(each.newest, now) for each in sources if each.idle <= each.silence]
    found = min(live, default=now) - lateness
    return found if before is None else max(found, before)
