"""How often, and how long, a partner that does not answer is told again."""

from __future__ import annotations

from typing import Final

from secops.kernel.clock import HOUR, MINUTE, SECOND

PAUSES: Final = (
    SECOND,
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
)
"""After the first try at once: nine in all, the last about nine hours later."""
HEARD: Final = frozenset({200, 204})


def next_pause(tries: int) -> int | None:
    """Return how long to wait after ``tries`` tries (µs); None: it is silent for good."""
    return PAUSES[tries - 1] if tries <= len(PAUSES) else None
