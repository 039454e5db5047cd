"""Where the CAS server keeps services and tickets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.cas import CasService, CasTicket
from secops.kernel.transactions import Transaction


class CasStore(Protocol):
    """Services and tickets."""

    def put_service(self, tx: Transaction, service: CasService) -> None:
        """Store it in place of the one with its id; raise ``NameTaken`` for a taken address."""
        ...

    def service(self, tx: Transaction, service_id: str) -> CasService | None:
        """Return it."""
        ...

    def service_at(self, tx: Transaction, url: str) -> CasService | None:
        """Return the service with exactly this address."""
        ...

    def services(self, tx: Transaction, org_id: str) -> Sequence[CasService]:
        """Return an organisation's services by name, at most 500."""
        ...

    def add_ticket(self, tx: Transaction, ticket: CasTicket) -> None:
        """Store a new ticket."""
        ...

    def use_ticket(self, tx: Transaction, ticket_id: str) -> CasTicket | None:
        """Consume it by one statement: the ticket for the first, None ever after."""
        ...

    def session_ended(self, tx: Transaction, session_id: str) -> int:
        """Have services that validated a ticket of the session told; return how many."""
        ...

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[CasTicket]:
        """Take tickets whose service is to be told now; nobody else does before ``until``."""
        ...

    def keep(self, tx: Transaction, ticket: CasTicket) -> None:
        """Store how telling went."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` tickets made before ``before``; return how many."""
        ...
