"""The stores of an incident's members and tasks, and of its observables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models.incident_work import Member, Observable, Sighting, Task
from secops.kernel.transactions import Transaction


class IncidentWorkStore(Protocol):
    """Keeps who works on incidents, and what is to be done."""

    def set_member(self, transaction: Transaction, member: Member) -> None:
        """Add a member, or give a known one another role."""
        ...

    def remove_member(
        self, transaction: Transaction, org_id: str, incident_id: str, account_id: str
    ) -> None:
        """Remove a member, if they are one."""
        ...

    def members(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Member]:
        """Return an incident's members, the first added first."""
        ...

    def add_task(self, transaction: Transaction, task: Task) -> None:
        """Store a new task."""
        ...

    def task(self, transaction: Transaction, org_id: str, task_id: str) -> Task:
        """Return it; raise ``TaskNotFound``."""
        ...

    def change_task(self, transaction: Transaction, task: Task) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def tasks(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Task]:
        """Return an incident's tasks, oldest first."""
        ...


class ObservableStore(Protocol):
    """Keeps what was observed in incidents."""

    def see(self, transaction: Transaction, seen: Observable) -> bool:
        """Add an observable, or widen when a known one was seen; True if it is new."""
        ...

    def of(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Observable]:
        """Return an incident's observables by kind and value."""
        ...

    def sightings(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[Sighting]:
        """Return where else the incident's observables were seen, at most 200, newest first."""
        ...

    def find(
        self, transaction: Transaction, org_id: str, kind: str, value: str
    ) -> Sequence[Sighting]:
        """Return the incidents that have this observable, at most 200, newest first."""
        ...
