"""Store of what assessments may know: counts alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from secops.kernel.transactions import Transaction


class StandingStore(Protocol):
    """Counts over accounts, roles, sessions, departures and changes of one organisation."""

    def accounts(
        self, tx: Transaction, org_id: str, ids: Collection[str], default_names: Collection[str]
    ) -> Mapping[str, int]:
        """Return what is wrong with accounts; ``ids`` came with the product."""
        ...

    def rights(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return rights of nobody known, and rights and sessions that the departed still have."""
        ...

    def cryptographic(
        self, tx: Transaction, org_id: str, roles: Collection[str] | None = None
    ) -> int:
        """Return how many active accounts (with one of ``roles``) hold a cryptographic factor."""
        ...

    def sign_ins(
        self, tx: Transaction, org_id: str, role: str, since: int
    ) -> Sequence[tuple[int, str]]:
        """Return (level, address) of each session that holders of ``role`` opened since."""
        ...

    def departures(self, tx: Transaction, org_id: str, since: int, late: int) -> Mapping[str, int]:
        """Return departures carried out since, the slowest (microseconds), and those overdue."""
        ...

    def changes(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, int]:
        """Return changes carried out since, and those that nobody else decided."""
        ...
