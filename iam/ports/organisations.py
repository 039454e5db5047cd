"""Stores of the tree of organisations, of mandates and of leavers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iam.models.accounts import Departure, LegalPerson, Mandate, Organisation, OrganisationView
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class OrganisationStore(Protocol):
    """Organisations in a tree; "within" an organisation is itself and everything below it."""

    def add(self, tx: Transaction, organisation: Organisation) -> None:
        """Store it under its parent; raise ``NameTaken``."""
        ...

    def get(self, tx: Transaction, org_id: str) -> Organisation:
        """Return it; raise ``NotFound``."""
        ...

    def by_name(self, tx: Transaction, name: str) -> Organisation | None:
        """Return the organisation of this whole name."""
        ...

    def reaches(self, tx: Transaction, org_id: str, other: str) -> bool:
        """Tell whether ``other`` is ``org_id`` or stands below it."""
        ...

    def page(
        self, tx: Transaction, reach: str, request: PageRequest, search: tuple[str, str]
    ) -> Page[Organisation]:
        """Return organisations within ``reach`` by name: (parent id or "", part of a name)."""
        ...

    def view(self, tx: Transaction, org_id: str) -> OrganisationView:
        """Return it with the way down to it and what hangs on it; raise ``NotFound``."""
        ...

    def rename(self, tx: Transaction, org_id: str, name: str) -> None:
        """Give it another name; raise ``NameTaken``."""
        ...

    def move(self, tx: Transaction, org_id: str, parent_id: str) -> None:
        """Hang it and all below it elsewhere; raise ``OrganisationInUse`` for a circle."""
        ...

    def close(self, tx: Transaction, org_id: str) -> None:
        """Close it; raise ``OrganisationInUse`` while something open is in it."""
        ...

    def names(self, tx: Transaction, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of ``ids``."""
        ...


class LegalPersonStore(Protocol):
    """Legal persons."""

    def add(self, tx: Transaction, legal: LegalPerson) -> None:
        """Store it; raise ``NameTaken`` if the credit code is known."""
        ...

    def get(self, tx: Transaction, legal_id: str) -> LegalPerson:
        """Return it; raise ``NotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[LegalPerson]:
        """Return legal persons within the organisation, by id."""
        ...

    def represented_by(self, tx: Transaction, account_id: str) -> Sequence[LegalPerson]:
        """Return the legal persons whose legal representative the account is."""
        ...

    def set_representative(self, tx: Transaction, legal_id: str, account_id: str) -> None:
        """Name its legal representative."""
        ...


class MandateStore(Protocol):
    """Mandates, and for whom a session acts."""

    def unended(self, tx: Transaction, legal_id: str) -> Sequence[Mandate]:
        """Return mandates of a legal person that hold now or will, by id."""
        ...

    def add(self, tx: Transaction, mandate: Mandate) -> None:
        """Store it; raise ``NotFound`` where legal person or agent is unknown."""
        ...

    def get(self, tx: Transaction, mandate_id: str) -> Mandate:
        """Return it, alive or not; raise ``NotFound``."""
        ...

    def revoke(self, tx: Transaction, mandate_id: str) -> bool:
        """End it; False if it had ended."""
        ...

    def alive(self, tx: Transaction, **of: str) -> Sequence[Mandate]:
        """Return mandates that hold now of ``agent_id=…`` or ``legal_person_id=…``."""
        ...

    def act(self, tx: Transaction, session_id: str, mandate: Mandate | None) -> None:
        """Let a session act under ``mandate`` from now on, or for itself again."""
        ...

    def acting(self, tx: Transaction, session_id: str) -> str | None:
        """Return the id of the mandate a session acts under."""
        ...


class DepartureStore(Protocol):
    """Departures, and service accounts whose time is over."""

    def add(self, tx: Transaction, departure: Departure) -> None:
        """Store it; raise ``Conflict`` while another is due for the same account."""
        ...

    def get(self, tx: Transaction, departure_id: str) -> Departure:
        """Return it; raise ``NotFound``."""
        ...

    def due(self, tx: Transaction, limit: int) -> Sequence[Departure]:
        """Return what should have happened by now, oldest first."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Departure]:
        """Return departures within the organisation, newest first."""
        ...

    def finish(self, tx: Transaction, departure_id: str, state: str) -> bool:
        """Move a due one to ``done`` or ``cancelled``: True once."""
        ...

    def end_services(self, tx: Transaction, person_id: str) -> int:
        """End every post the person holds; return how many."""
        ...

    def hand_over(self, tx: Transaction, owner_id: str, successor_id: str | None) -> int:
        """Give the service accounts of ``owner_id`` to another, or to nobody; return how many."""
        ...

    def expired_services(self, tx: Transaction, limit: int) -> Sequence[str]:
        """Return the ids of service accounts that still sign in after their end."""
        ...
