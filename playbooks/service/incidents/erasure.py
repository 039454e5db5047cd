"""What incidents know of a person who is to be erased.

Asked by identity inside its own unit of work, which has checked who may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction


class PersonTraceService:
    """Says which open incidents name an account, and lets its name go from the tables.

    Timelines, notices and custody chains stay as they are: they are the incident's record.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def open_incidents(self, tx: Transaction, account_id: str, name: str) -> Sequence[str]:
        """Return the ids of open incidents that name the account, at most 10."""
        return self._s.stores.traces.open_incidents(tx, account_id, name)

    def erase(self, tx: Transaction, account_id: str, pseudonym: str) -> Mapping[str, int]:
        """Put ``pseudonym`` in the place of the account's name; return the rows by table."""
        return self._s.stores.traces.rename(tx, account_id, pseudonym)
