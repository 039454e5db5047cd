"""Where the plane names the person behind an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from secops.kernel.transactions import Transaction


class PersonTraceStore(Protocol):
    """Finds and replaces names of accounts in incidents, of all organisations."""

    def open_incidents(self, transaction: Transaction, account_id: str, name: str) -> Sequence[str]:
        """Return the open incidents that name the account, at most 10, oldest first.

        As what it is about, as an observable, a member, a task's owner or evidence's holder.
        """
        ...

    def rename(self, transaction: Transaction, account_id: str, name: str) -> Mapping[str, int]:
        """Put ``name`` where the account's stands beside its id; return the rows by table."""
        ...
