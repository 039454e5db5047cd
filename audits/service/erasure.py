"""What this plane knows of a person who is to be erased.

Asked by identity inside its own unit of work, which has checked who may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audits.ports.erasure import PersonTraceStore
from audits.ports.holds import LegalHolds
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class PersonTraceService:
    """Says which legal holds name an account, and lets its name go from the tables.

    The ledger holds no name; finished assessments and reports stay as they were signed.
    """

    holds: LegalHolds
    store: PersonTraceStore

    def holds_naming(self, tx: Transaction, account_id: str, name: str) -> Sequence[str]:
        """Return the ids of holds in force whose matter or reason names the account."""
        words = (account_id.casefold(), name.casefold())
        return [
            hold.id
            for hold in self.holds.in_force(tx)
            if any(word in f"{hold.matter}\n{hold.reason}".casefold() for word in words)
        ]

    def erase(
        self, tx: Transaction, account_id: str, name: str, pseudonym: str
    ) -> Mapping[str, int]:
        """Put ``pseudonym`` in the place of the account's name; return the rows by table."""
        return self.store.rename(tx, account_id, name, pseudonym)
