"""Leases: which process works now. Every write under a lease carries its fence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

LONGEST: Final = 600.0
"""Seconds that a lease lasts at most. One that ends later is free: the clock was set back, and
its holder, if there is one, is kept out by its fence."""


@dataclass(frozen=True, slots=True)
class Lease:
    """``owner`` holds ``name`` until ``until`` (UTC microseconds) under ``fence``."""

    name: str
    owner: str
    fence: int
    until: int


class Leases(Protocol):
    """Hands out leases by one conditional UPDATE on the database's clock."""

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take ``name`` if it is free or has run out; None if another holds it."""
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease | None:
        """Prolong ``lease``; None if it was lost."""
        ...

    def release(self, lease: Lease) -> None:
        """Give it back; does nothing if it was lost."""
        ...
