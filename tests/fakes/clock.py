"""A clock that stands still until it is told to move."""

from __future__ import annotations

from secops.kernel.clock import SECOND

START = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


class FakeClock:
    def __init__(self, now: int = START) -> None:
        self.instant = now
        self.elapsed = 1000.0

    def now(self) -> int:
        return self.instant

    def monotonic(self) -> float:
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self.instant += round(seconds * SECOND)
        self.elapsed += seconds
