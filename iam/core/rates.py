"""A token bucket a name, as one number: when the bucket is full again (GCRA, ITU-T I.371)."""

from __future__ import annotations

from typing import Final

MOST_NAMES: Final = 65_536
_REST: Final = ""
"""Whoever comes when the table is full of busy names shares this bucket."""


class Buckets:
    """Admits ``per_second`` requests a name for long, ``burst`` at once. Seconds throughout.

    Holds no lock: the caller sees to it that one thread asks at a time.
    """

    def __init__(self, per_second: int, burst: int) -> None:
        self._step = 1.0 / per_second
        self._depth = burst * self._step
        self._full_at: dict[str, float] = {}

    def take(self, name: str, now: float) -> float:
        """Take one; return 0, or the seconds until there is one again (and take nothing)."""
        full_at = self._full_at.get(name)
        if full_at is None:
            if len(self._full_at) >= MOST_NAMES:
                name = self._make_room(name, now)
                full_at = self._full_at.get(name, now)
            else:
                full_at = now
        after = max(now, full_at) + self._step
        wait = after - now - self._depth
        if wait > 1e-9:  # noqa: PLR2004 - the rounding of the sums above
            return wait
        self._full_at[name] = after
        return 0.0

    def give_back(self, name: str) -> None:
        """Undo one ``take`` that admitted."""
        full_at = self._full_at.get(name)
        if full_at is not None:
            self._full_at[name] = full_at - self._step

    def _make_room(self, name: str, now: float) -> str:
        """Forget who has a full bucket; return the name to count under."""
        self._full_at = {each: at for each, at in self._full_at.items() if at > now}
        return name if len(self._full_at) < MOST_NAMES else _REST

    def __len__(self) -> int:
        """How many names are held in memory."""
        return len(self._full_at)
