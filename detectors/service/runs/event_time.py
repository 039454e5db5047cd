"""The watermark of this process: what its clocks and the log store say of event time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.watermark import SourceTime, SteadyTime, follow, watermark
from secops.kernel.clock import MINUTE, SECOND, Clock
from secops.kernel.logs import SourceSummary

LATENESS: Final = 2 * MINUTE
"""How late an event may come without changing what was judged in hindsight."""
SILENCE: Final = 5 * MINUTE
"""How long a source without a silence of its own may be idle and still be awaited."""


@dataclass(slots=True)
class _Seen:
    """What this process remembers: its steady time, and when each source last gave something."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    steady: SteadyTime | None = None
    sources: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventTime:
    """Computes watermarks; a jump of the wall clock moves neither time nor idleness.

    How long a source has been idle is counted on the monotonic clock from when this process
    saw it give something; only the first look has to believe the wall clock.
    """

    clock: Clock
    _seen: _Seen = field(default_factory=_Seen)

    def watermark(
        self, sources: Sequence[SourceSummary], silences: Mapping[str, int], before: int | None
    ) -> int:
        """Return the watermark; ``silences`` are seconds by source, ``before`` the last one."""
        with self._seen.lock:
            monotonic = round(self.clock.monotonic() * SECOND)
            first = self._seen.steady is None
            steady = follow(self._seen.steady, self.clock.now(), monotonic)
            self._seen.steady = steady
            now = steady.now(monotonic)
            times = [
                SourceTime(
                    each.last_at,
                    self._idle(each, monotonic, now if first else None),
                    silences.get(each.source, SILENCE // SECOND) * SECOND,
                )
                for each in sources
            ]
        return watermark(times, now, LATENESS, before)

    def _idle(self, source: SourceSummary, monotonic: int, now: int | None) -> int:
        """Return for how long the source has given nothing; ``now`` at the first look only."""
        known = self._seen.sources.get(source.source)
        if known is None or known[0] != source.last_ingested:
            age = max(0, now - source.last_ingested) if now is not None else 0
            known = (source.last_ingested, monotonic - age)
            self._seen.sources[source.source] = known
        return monotonic - known[1]
