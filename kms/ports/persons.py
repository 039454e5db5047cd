"""What identity knows of the people behind accounts."""

from __future__ import annotations

from typing import Protocol

from secops.kernel.transactions import Transaction


class Persons(Protocol):
    """One natural person may have several accounts; who asks and who approves are two."""

    def same_person(self, transaction: Transaction, one: str, other: str) -> bool:
        """Tell whether two account ids belong to one natural person."""
        ...
