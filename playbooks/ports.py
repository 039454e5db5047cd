"""What the plane needs from outside: other planes, the network, its data, its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from playbooks.models import (
    AlertLink,
    AlertSummary,
    Incident,
    JournalEntry,
    Notification,
    Run,
    StoredPlaybook,
    TimelineEntry,
)
from playbooks.models.filings import Filing
from playbooks.models.reports import PrintedReport
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Alerts(Protocol):
    """Alerts of the detectors."""

    def get_alert(self, org_id: str, alert_id: str) -> AlertSummary | None:
        """Return the alert if ``org_id`` may see it."""
        ...


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account as it is now. ``state`` is a word such as active or locked.

    ``protected`` says why it may not be contained automatically (the last security
    administrator), or is "".
    """

    id: str
    name: str
    state: str
    locked: bool
    protected: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """On whose authority a target is contained; goes into iam's own acts.

    ``key`` is the idempotency key: the same order given twice has one effect.
    """

    org_id: str
    run_id: str
    incident_id: str
    key: str
    requester_id: str
    approver_id: str
    reason: str
    timeout_ms: int


class Containment(Protocol):
    """What identity and access can take away. Both acts are idempotent."""

    def account_state(self, org_id: str, account: str) -> AccountState | None:
        """Return the account with this id or name in ``org_id``."""
        ...

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of its live sessions."""
        ...

    def revoke_sessions(self, account_id: str, order: Order) -> int:
        """End all its sessions and return how many there were."""
        ...

    def lock_account(self, account_id: str, order: Order) -> None:
        """Lock it; does nothing if it is locked."""
        ...


class Outbound(Protocol):
    """The guarded way out to the network."""

    def get(self, url: str, headers: Mapping[str, str], *, timeout: float) -> tuple[int, bytes]:
        """Ask for ``url``; as ``post``, but an answer longer than 64 KiB is an error."""
        ...

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> tuple[int, bytes]:
        """Post and return status and at most 64 KiB of the answer.

        ``timeout`` is in seconds. Raises ``Unavailable`` or ``Invalid`` when nothing was sent,
        another ``SecopsError`` when that isn't known. Errors never repeat ``url``: it holds a
        token.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlaybooksPorts:
    """What other planes and the shell provide; the bridges fill it."""

    alerts: Alerts
    containment: Containment
    outbound: Outbound


class Library(Protocol):
    """Data in the release: own playbooks, GB/T 20986 classes, the reporting rule."""

    def classification(self) -> Mapping[str, Any]:
        """Return ``gbt20986.json``."""
        ...

    def reporting_rule(self) -> Mapping[str, Any]:
        """Return ``incident_reporting.json``."""
        ...

    def playbooks(self) -> Mapping[str, bytes]:
        """Return the packaged playbooks by name (``contain_account``)."""
        ...


class ReportPrinter(Protocol):
    """Sets reports as files of an office."""

    def print_report(self, report: PrintedReport) -> bytes:
        """Return the file; raise ``FontUnavailable`` if its texts can't be set."""
        ...


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents; ``state`` "open" means every state but closed, "" all."""

    org_id: str
    state: str = ""


class IncidentStore(Protocol):
    """Keeps incidents, their timelines and their alerts."""

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

    def clocked(self, transaction: Transaction, since: int) -> Sequence[Incident]:
        """Return incidents of all organisations whose clocks may run, at most 1,000.

        Closed ones handled after ``since`` stay until their closing report is filed.
        """
        ...

    def append(self, transaction: Transaction, entry: TimelineEntry) -> None:
        """Add the next line to an incident's timeline; ``entry.seq`` is given here."""
        ...

    def timeline(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[TimelineEntry]:
        """Return its history, oldest first, at most 2,000 lines."""
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


class PlaybookStore(Protocol):
    """The register of playbooks."""

    def add(self, transaction: Transaction, playbook: StoredPlaybook) -> None:
        """Store what is new to the organisation."""
        ...

    def get(self, transaction: Transaction, org_id: str, content_hash: str) -> StoredPlaybook:
        """Return it; raise ``PlaybookNotFound``."""
        ...

    def approve(
        self, transaction: Transaction, org_id: str, content_hash: str, approver_id: str
    ) -> bool:
        """Approve a draft that somebody else imported; False if it is none."""
        ...

    def list(
        self, transaction: Transaction, org_id: str, page: PageRequest
    ) -> Page[StoredPlaybook]:
        """Return the register by name."""
        ...

    def by_id(self, transaction: Transaction, org_id: str) -> Mapping[str, StoredPlaybook]:
        """Return the newest approved playbook of each id."""
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


@dataclass(frozen=True, slots=True)
class PlaybookStores:
    """The plane's stores."""

    incidents: IncidentStore
    playbooks: PlaybookStore
    runs: RunStore
    filings: FilingStore
