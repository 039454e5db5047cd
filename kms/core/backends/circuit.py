"""When a backend that failed is asked again: not at once, then after a check.

Closed, it is used. A failure opens it for a second, doubled by each further one up to a
minute, so that callers don't queue before a device that is gone. Then a check (a signature by
a key of its own that our engine verifies) must pass before it gets work again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

_FIRST: Final = 1.0
_LONGEST: Final = 60.0

Readiness = Literal["ready", "check", "wait"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """The state. Instants are monotonic seconds; ``failure`` is the last error's code."""

    failures: int = 0
    until: float = 0.0
    suspected: bool = True
    failure: str = ""

    def readiness(self, now: float) -> Readiness:
        """Tell whether it may work, must be checked first, or is left alone."""
        if not self.suspected:
            return "ready"
        return "check" if now >= self.until else "wait"

    def failed(self, now: float, failure: str) -> Circuit:
        """Return the state after a failed call or check."""
        count = self.failures + 1
        pause = min(_FIRST * 2 ** min(count - 1, 10), _LONGEST)
        return Circuit(count, now + pause, suspected=True, failure=failure)

    def checked(self) -> Circuit:
        """Return the state after a check that passed; pauses grow on until real work is done."""
        return replace(self, suspected=False, failure="")

    def worked(self) -> Circuit:
        """Return the state after work that was right."""
        return Circuit(suspected=False)
