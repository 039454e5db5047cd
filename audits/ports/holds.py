"""Where legal holds are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from audits.models.holds import LegalHold
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class LegalHolds(Protocol):
    """Keeps holds; a lifted one stays."""

    def add(self, tx: Transaction, hold: LegalHold) -> None:
        """Store a new hold."""
        ...

    def find(self, tx: Transaction, hold_id: str) -> LegalHold | None:
        """Return one hold."""
        ...

    def lift(self, tx: Transaction, hold: LegalHold) -> bool:
        """Store how ``hold`` was lifted; False if somebody was quicker."""
        ...

    def in_force(self, tx: Transaction) -> Sequence[LegalHold]:
        """Return all holds that nobody lifted, oldest first."""
        ...

    def page(self, tx: Transaction, request: PageRequest) -> Page[LegalHold]:
        """Return holds, newest first."""
        ...
