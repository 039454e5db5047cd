"""Where the plane names the person behind an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from secops.kernel.transactions import Transaction


class PersonTraceStore(Protocol):
    """Replaces names of accounts in assessments, tasks, waivers, risks and exports."""

    def rename(self, tx: Transaction, account_id: str, old: str, name: str) -> Mapping[str, int]:
        """Put ``name`` where the account's ``old`` one stands; return the rows by table.

        Beside its id whatever name stands there, and where accounts are referred to by name.
        """
        ...
