"""Which accounts belong to one natural person."""

from __future__ import annotations

from secops.kernel.transactions import Transaction


class FakePersons:
    """Every account is a person of its own, but for those said to be one."""

    def __init__(self) -> None:
        self._same: set[frozenset[str]] = set()

    def one(self, one: str, other: str) -> None:
        """Let both accounts belong to one person."""
        self._same.add(frozenset((one, other)))

    def part(self, one: str, other: str) -> None:
        """Let the accounts belong to two persons again."""
        self._same.discard(frozenset((one, other)))

    def same_person(self, transaction: Transaction, one: str, other: str) -> bool:
        """Tell whether two account ids belong to one natural person."""
        return one == other or frozenset((one, other)) in self._same
