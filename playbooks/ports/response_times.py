"""The store of the instants that response times are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models.response_times import IncidentTimes
from secops.kernel.transactions import Transaction


class ResponseTimeStore(Protocol):
    """Looks up instants; drills, tests and duplicates are left out."""

    def closed(
        self, transaction: Transaction, org_id: str, since: int, until: int
    ) -> Sequence[IncidentTimes]:
        """Return incidents closed in the period, the last closed first, at most 10,000."""
        ...

    def open(self, transaction: Transaction, org_id: str) -> Sequence[IncidentTimes]:
        """Return incidents that are open, at most 10,000."""
        ...
