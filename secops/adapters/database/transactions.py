"""The kernel's ``Transactions`` over the committer, and over read-only snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from secops.adapters.audit_device import AuditDevice
from secops.adapters.database.committer import Committer
from secops.adapters.database.failures import says_read_only, says_store_is_down
from secops.adapters.database.revocations import DatabaseRevocations, set_revoked
from secops.adapters.database.tables import emergency_progress
from secops.adapters.database.unit import DatabaseTransaction, ReadTransaction, upsert
from secops.adapters.emergency import EmergencyJournal
from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable, Unavailable
from secops.kernel.transactions import Restriction
from secops.kernel.waiting import about_to_wait

T = TypeVar("T")

RESTRICT_PATIENCE: Final = 2.0
"""Seconds after which a restricting act takes the emergency way."""


class DatabaseTransactions:
    """Units of work in SQLite or PostgreSQL. Build it with ``secops.adapters.spine``.

    ``engines`` are the writing and the reading one.
    """

    def __init__(
        self,
        engines: tuple[Engine, Engine],
        *,
        clock: Clock,
        emergency: EmergencyJournal,
        revocations: DatabaseRevocations,
        device: AuditDevice | None = None,
    ) -> None:
        engine, self._read_engine = engines
        self._clock = clock
        self._emergency = emergency
        self._revocations = revocations
        self._committer = Committer(engine, clock, self._import_emergency, device)

    def run(self, work: Callable[[DatabaseTransaction], T]) -> T:
        """Run ``work`` and return its value after COMMIT is durable."""
        about_to_wait()
        value: T = self._committer.run(work)
        return value

    def read(self, work: Callable[[DatabaseTransaction], T]) -> T:
        """Run ``work`` on a snapshot; raise ``Unavailable`` when the database is away."""
        about_to_wait()
        try:
            with self._read_engine.begin() as connection:
                return work(ReadTransaction(connection, self._clock.now()))
        except DBAPIError as error:
            if says_read_only(error):
                msg = "a read can't change anything; use run"
                raise RuntimeError(msg) from error
            if not says_store_is_down(error):
                raise
            msg = "the database can't be read"
            raise Unavailable(msg) from error
        except PoolTimeout as error:
            msg = "no connection to the database is free"
            raise Unavailable(msg) from error

    def restrict(
        self, work: Callable[[DatabaseTransaction], T], *restrictions: Restriction
    ) -> T | None:
        """Run ``work``, revoke and record every restriction; never refused for the ledger.

        Where the commit is impossible the restrictions take effect through the emergency
        journal and None returns; what else ``work`` changes is then not done.
        """
        about_to_wait()

        def restricting(transaction: DatabaseTransaction) -> T:
            value = work(transaction)
            for restriction in restrictions:
                set_revoked(transaction, restriction.kind, restriction.id, revoked=True)
                transaction.record(restriction.act)
            transaction.after_commit.append(self._revocations.refresh)
            return value

        try:
            value: T = self._committer.run(restricting, RESTRICT_PATIENCE)
        except (AuditUnavailable, Unavailable):
            self._restrict_without_database(restrictions)
            return None
        return value

    def import_emergency(self) -> None:
        """Bring what the emergency journal holds into the ledger, if anything waits.

        Raises ``AuditUnavailable`` when that is impossible: then nothing may be granted.
        """
        if self._emergency.waiting():
            self._committer.run(lambda _: None)

    def close(self) -> None:
        """Commit what waits, then stop."""
        self._committer.close()

    def _restrict_without_database(self, restrictions: tuple[Restriction, ...]) -> None:
        self._revocations.end_here((item.kind, item.id) for item in restrictions)
        now = self._clock.now()
        for restriction in restrictions:
            self._emergency.append(restriction, now)

    def _import_emergency(self, transaction: DatabaseTransaction) -> None:
        waiting = self._emergency.waiting()
        if not waiting:
            return
        rows: Any = transaction.execute(select(emergency_progress)).all()
        known = {row.file_id: row.position for row in rows}
        moved = dict(known)
        for entry in waiting:
            if entry.end > moved.get(entry.file_id, 0):
                set_revoked(transaction, entry.kind, entry.identifier, revoked=True, at=entry.at)
                transaction.record_encoded(entry.record, entry.at)
                moved[entry.file_id] = entry.end
        for file_id, position in moved.items():
            if position != known.get(file_id):
                upsert(
                    transaction, emergency_progress, {"file_id": file_id}, {"position": position}
                )
        transaction.after_commit.append(lambda: self._emergency.mark_imported(moved))
        transaction.after_commit.append(self._revocations.refresh)
        transaction.after_commit.append(self._emergency.make_room)
