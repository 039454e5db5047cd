"""Stores of recoveries that wait and of accounts sealed for emergencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.recovery import BreakGlass, Recovery, RecoveryState
from secops.kernel.transactions import Transaction


class RecoveryStore(Protocol):
    """Recoveries; each ends once, by one statement."""

    def add(self, tx: Transaction, recovery: Recovery) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, recovery_id: str) -> Recovery | None:
        """Return it."""
        ...

    def waiting_of(self, tx: Transaction, account_id: str) -> Sequence[Recovery]:
        """Return what waits for this account and is not over, oldest first."""
        ...

    def end(self, tx: Transaction, recovery_id: str, state: RecoveryState) -> bool:
        """Cancel or reject it; False if it ended before."""
        ...

    def carry_out(self, tx: Transaction, recovery_id: str) -> bool:
        """Take it if it waits and its time has come; False otherwise."""
        ...

    def hasten(self, tx: Transaction, recovery_id: str, not_before: int, by: str) -> bool:
        """Bring it nearer; False if it does not wait, or not for longer than that."""
        ...


class BreakGlassStore(Protocol):
    """Accounts sealed for emergencies."""

    def seal(self, tx: Transaction, sealed: BreakGlass) -> None:
        """Store it, new or anew."""
        ...

    def get(self, tx: Transaction, account_id: str) -> BreakGlass | None:
        """Return it."""
        ...

    def all_of(self, tx: Transaction) -> Sequence[BreakGlass]:
        """Return all of them, by account."""
        ...

    def collect(self, tx: Transaction, account_id: str) -> bool:
        """Forget the second envelope: True for the first who takes it."""
        ...

    def remove(self, tx: Transaction, account_id: str) -> None:
        """Forget it: the account is one no more."""
        ...

    def open(self, tx: Transaction, account_id: str, until: int) -> int | None:
        """Break its seal unless it is broken; return until when it is open, None if it is over."""
        ...

    def tested(self, tx: Transaction, account_id: str) -> bool:
        """Note a test now; False if it is not sealed."""
        ...

    def reviewed(self, tx: Transaction, account_id: str, by: str) -> bool:
        """Note that its use was looked into; False if it was not used, or looked into before."""
        ...
