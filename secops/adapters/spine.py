"""Builds the kernel's parts over one home: the only place that knows every adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from secops.adapters.audit_device import AuditDevice
from secops.adapters.blobs import FileBlobs
from secops.adapters.database.approvals import DatabaseApprovals
from secops.adapters.database.engine import database_url, make_engine
from secops.adapters.database.leases import DatabaseLeases, database_now
from secops.adapters.database.outbox import Outbox
from secops.adapters.database.revocations import DatabaseRevocations
from secops.adapters.database.tasks import DatabaseTasks
from secops.adapters.database.transactions import DatabaseTransactions
from secops.adapters.doors import LedgerDoors
from secops.adapters.emergency import EmergencyJournal
from secops.adapters.journal.reader import JournalReader
from secops.adapters.journal.segments import LARGEST
from secops.adapters.journal.writer import JournalOptions, JournalWriter
from secops.kernel.access import AccessControl
from secops.kernel.approvals import Persons
from secops.kernel.clock import Clock
from secops.kernel.events import Subscription
from secops.kernel.ids import Ids, Randomness
from secops.kernel.parts import Parts

COMMAND_FILE_BYTES: Final = 1 << 20
"""A one-shot command's journal is small: filling 16 MiB with zeros would take longer than it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpineOptions:
    """``role`` names the process (gateway, scheduler, command) in its journal and leases.

    ``database_url`` None or empty is SQLite in the home. ``emergency_folder`` is a second
    place for the emergency journal, best on another disk; ``device_folder`` is where the second
    audit device writes, None for none.
    """

    home: Path
    role: str
    database_url: str | None = None
    emergency_folder: Path | None = None
    device_folder: Path | None = None
    journal_bytes: int = LARGEST


@dataclass(frozen=True, slots=True)
class Spine:
    """What one process holds open of a home. ``owner`` is its name in leases."""

    parts: Parts
    transactions: DatabaseTransactions
    journal: JournalWriter
    revocations: DatabaseRevocations
    emergency: EmergencyJournal
    doors: LedgerDoors
    engine: Engine
    read_engine: Engine
    device: AuditDevice | None

    @property
    def owner(self) -> str:
        """The process's name: role, process id, and a random part."""
        return self.journal.process

    def start(self) -> None:
        """Preallocate the emergency journal; raise OSError if even that is impossible.

        The database must be at the head of ``secops.migrations``. Threads begin on first
        use, so that nothing runs before a worker's fork.
        """
        self.emergency.prepare()

    def outbox(self, subscriptions: Sequence[Subscription]) -> Outbox:
        """Return the delivery of announcements to ``subscriptions`` (the scheduler's work)."""
        return Outbox(self.transactions, self.parts.clock, subscriptions)

    def close(self) -> None:
        """Make durable what waits, and let go of everything."""
        self.journal.close()
        self.transactions.close()
        if self.device is not None:
            self.device.close()
        self.revocations.close()
        self.engine.dispose()
        self.read_engine.dispose()


def journal_folder(home: Path) -> Path:
    """Return where all processes' journals lie."""
    return home / "ledger" / "journal"


def open_spine(
    options: SpineOptions,
    *,
    clock: Clock,
    randomness: Randomness,
    access: AccessControl,
    persons: Persons | None = None,
) -> Spine:
    """Return the spine of a home; opens no file and no connection yet."""
    home = options.home
    url = database_url(home, options.database_url)
    engine, read_engine = make_engine(url), make_engine(url, read_only=True)
    folders = [home / "emergency"]
    if options.emergency_folder is not None:
        folders.append(options.emergency_folder)
    emergency = EmergencyJournal(folders, randomness)
    revocations = DatabaseRevocations(read_engine, clock, emergency)
    device = (
        AuditDevice(options.device_folder, options.role, clock) if options.device_folder else None
    )
    transactions = DatabaseTransactions(
        (engine, read_engine),
        clock=clock,
        emergency=emergency,
        revocations=revocations,
        device=device,
    )
    journal = JournalWriter(
        JournalOptions(journal_folder(home), options.role, options.journal_bytes, device),
        clock,
        randomness,
        before_batch=transactions.import_emergency,
    )
    parts = Parts(
        home=home,
        clock=clock,
        randomness=randomness,
        ids=Ids(clock, randomness),
        transactions=transactions,
        trail=journal,
        access=access,
        revocations=revocations,
        leases=DatabaseLeases(transactions, lambda: database_now(engine.dialect.name)),
        tasks=DatabaseTasks(),
        approvals=DatabaseApprovals(persons),
        blobs=FileBlobs(home / "blobs", randomness),
    )
    doors = LedgerDoors(transactions, JournalReader(journal_folder(home)))
    return Spine(
        parts, transactions, journal, revocations, emergency, doors, engine, read_engine, device
    )
