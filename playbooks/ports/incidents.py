"""Stores of incidents and of the reports they owe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from playbooks.models import AlertLink, Incident, TimelineEntry
from playbooks.models.filings import Filing
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; ``state`` "open" means every state but closed, "" all.

    ``drills`` False leaves out what is exercised.
    """

    org_id: str
    state: str = ""
    drills: bool = True


class IncidentStore(Protocol):
    """Keeps incidents and their alerts."""

    def add(self, transaction: Transaction, incident: Incident) -> None:
        """Store a new incident."""
        ...

    def get(self, transaction: Transaction, org_id: str, incident_id: str) -> Incident:
        """Return it; raise ``IncidentNotFound``."""
        ...

    def change(self, transaction: Transaction, incident: Incident) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def list(
        self, transaction: Transaction, wanted: IncidentFilter, page: PageRequest
    ) -> Page[Incident]:
        """Return incidents, newest first."""
        ...

    def count_open(self, transaction: Transaction, org_id: str) -> int:
        """Return how many incidents are open, without drills."""
        ...

    def clocked(self, transaction: Transaction, since: int) -> Sequence[Incident]:
        """Return incidents of all organisations whose clocks may run, at most 1,000.

        Closed ones handled after ``since`` stay until their closing report is filed.
        """
        ...

    def link(self, transaction: Transaction, link: AlertLink) -> None:
        """Tie an alert to an incident; raise ``AlertLinked`` if it has one."""
        ...

    def links(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[AlertLink]:
        """Return its alerts, oldest first."""
        ...

    def incident_of(self, transaction: Transaction, org_id: str, alert_id: str) -> str | None:
        """Return the incident an alert belongs to."""
        ...


class TimelineStore(Protocol):
    """Keeps the history of incidents; nothing in it is ever changed."""

    def acknowledge(self, transaction: Transaction, place: tuple[str, str], who: str) -> None:
        """Enter the first human deed in the incident ``place`` (organisation, id), once."""
        ...

    def append(self, transaction: Transaction, entry: TimelineEntry) -> None:
        """Add the next line to an incident's timeline; ``entry.seq`` is given here."""
        ...

    def of(
        self, transaction: Transaction, org_id: str, incident_id: str, kind: str = ""
    ) -> Sequence[TimelineEntry]:
        """Return its history, oldest first: the last 2,000 lines, "" for those of any kind."""
        ...


class FilingStore(Protocol):
    """Keeps which reports an incident owes by declaration, and which were filed."""

    def declare(self, transaction: Transaction, filing: Filing) -> bool:
        """Keep that a duty is owed; False if it is there."""
        ...

    def file(self, transaction: Transaction, filing: Filing) -> bool:
        """Keep that a duty was fulfilled; False if it was before."""
        ...

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Mapping[str, Filing]:
        """Return an incident's filings by duty."""
        ...
