"""Where holds of keys and seals are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kms.models.holds import Hold, HoldKind
from secops.kernel.transactions import Transaction


class HoldStore(Protocol):
    """Keeps what playbooks' orders hold back."""

    def add(self, transaction: Transaction, hold: Hold) -> None:
        """Store a new hold."""
        ...

    def get(self, transaction: Transaction, key: str) -> Hold | None:
        """Return the hold that the order ``key`` set, lifted or not."""
        ...

    def holding(self, transaction: Transaction, kind: HoldKind, subject: str) -> Sequence[Hold]:
        """Return the holds in force on a key or seal, by their orders."""
        ...

    def outlast(self, transaction: Transaction, kind: HoldKind, subject: str) -> bool:
        """Note on the holds in force that a person took it away, too; False if there are none."""
        ...

    def lift(self, transaction: Transaction, kind: HoldKind, subject: str, key: str = "") -> bool:
        """End the hold of the order ``key``, or all of the subject's; False if none was there."""
        ...
