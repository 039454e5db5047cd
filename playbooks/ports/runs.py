"""Stores of playbooks and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playbooks.models import JournalEntry, Notification, Run, StoredPlaybook
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class PlaybookStore(Protocol):
    """The register of playbooks."""

    def add(self, transaction: Transaction, playbook: StoredPlaybook) -> None:
        """Store what is new to the organisation."""
        ...

    def get(self, transaction: Transaction, org_id: str, content_hash: str) -> StoredPlaybook:
        """Return it; raise ``PlaybookNotFound``."""
        ...

    def change(
        self, transaction: Transaction, playbook: StoredPlaybook, *, was: StoredPlaybook
    ) -> None:
        """Store it if state and approval are still as in ``was``; raise ``ChangedMeanwhile``."""
        ...

    def count(self, transaction: Transaction, org_id: str) -> int:
        """Return how many entries an organisation has."""
        ...

    def list(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Page[StoredPlaybook]:
        """Return the register by name."""
        ...

    def newest(
        self, transaction: Transaction, org_id: str, playbook_id: str
    ) -> StoredPlaybook | None:
        """Return the newest approved version of a playbook."""
        ...


class RunStore(Protocol):
    """Keeps runs, their journals and what was sent."""

    def add(self, transaction: Transaction, run: Run) -> None:
        """Store a new run."""
        ...

    def get(self, transaction: Transaction, org_id: str | None, run_id: str) -> Run:
        """Return it (of any organisation for None); raise ``RunNotFound``."""
        ...

    def change(self, transaction: Transaction, run: Run, *, was: Run) -> None:
        """Store ``run`` if state and fence are still as in ``was``; raise otherwise."""
        ...

    def list(
        self,
        transaction: Transaction,
        org_id: str,
        incident_id: str | None,
        page: PageRequest,
    ) -> Page[Run]:
        """Return runs, newest first."""
        ...

    def due(self, transaction: Transaction, now: int, limit: int) -> Sequence[str]:
        """Return the ids of runs that have work at ``now``, the longest due first."""
        ...

    def journal(self, transaction: Transaction, run_id: str) -> Sequence[JournalEntry]:
        """Return its journal in order."""
        ...

    def append(self, transaction: Transaction, entry: JournalEntry, *, fence: int) -> None:
        """Add to the journal while ``fence`` is the run's; what begins, only while it runs.

        ``entry.seq`` is the place its writer believes to be the next. Raises
        ``ChangedMeanwhile`` if another runner took over or another writer was first.
        """
        ...

    def notify(self, transaction: Transaction, notification: Notification) -> bool:
        """Keep a notification; False if its key is there."""
        ...

    def is_notified(self, transaction: Transaction, key: str) -> bool:
        """Tell whether a notification with this key is kept."""
        ...

    def notifications(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Page[Notification]:
        """Return what was sent, newest first."""
        ...
