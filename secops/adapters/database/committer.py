"""One thread per process commits the units of work of all that wait (group commit).

Each unit runs in a SAVEPOINT of one writing transaction; the callers are answered after
COMMIT is durable. So an fsync serves everybody who queued meanwhile, a unit that raises
undoes only itself, and state and ledger leaves can't disagree.

On PostgreSQL a transaction-level advisory lock makes writers of all nodes follow one
another, as BEGIN IMMEDIATE does: ids of the door and the outbox grow in commit order.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from secops.adapters.audit_device import AuditDevice, DeviceSilent
from secops.adapters.database.failures import says_fsync_failed, says_store_is_down
from secops.adapters.database.unit import DatabaseTransaction, UnitBatch
from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable, Conflict

MAX_WAITING: Final = 4_096
MAX_BATCH: Final = 256
PATIENCE: Final = 12.0
"""Seconds that a caller waits for its unit to begin: more than the busy timeout."""
_NO_SECOND: Final = "the second audit device does not answer: nothing was changed"
_WRITER_LOCK: Final = 7_305_771_002

State = Literal["waiting", "running", "finished", "abandoned"]


class _Unit:
    """One caller's work and, later, its value or error."""

    __slots__ = ("done", "error", "state", "value", "work")

    def __init__(self, work: Callable[[DatabaseTransaction], Any]) -> None:
        self.work = work
        self.state: State = "waiting"
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()

    def finish(self, error: BaseException | None = None) -> None:
        if error is not None:
            self.error = error
            self.value = None
        self.state = "finished"
        self.done.set()


class Committer:
    """Runs units of work. Nothing is opened before the first one, nor kept over a fork.

    ``preamble`` runs first in every transaction (the emergency journal enters the ledger
    there, before anything is granted). ``device`` is told every record before the commit.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        preamble: Callable[[DatabaseTransaction], None] = lambda _: None,
        device: AuditDevice | None = None,
    ) -> None:
        self._engine = engine
        self._device = device
        self._clock = clock
        self._preamble = preamble
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._waiting: deque[_Unit] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._distrusted = False
        self._connection: Connection | None = None

    def run(self, work: Callable[[DatabaseTransaction], Any], patience: float = PATIENCE) -> Any:
        """Run ``work``, return its value after COMMIT; raise what it raised.

        Raises ``AuditUnavailable`` when the store can't commit, too much waits, or the
        unit has not begun within ``patience`` seconds (it is then never run).
        """
        if threading.current_thread() is self._thread:
            msg = "a unit of work inside a unit of work would wait for itself"
            raise RuntimeError(msg)
        unit = _Unit(work)
        self._enqueue(unit)
        if not unit.done.wait(patience):
            with self._changed:
                if unit.state == "waiting":
                    unit.state = "abandoned"
                    msg = "the database did not answer in time"
                    raise AuditUnavailable(msg)
            unit.done.wait()
        if unit.error is not None:
            raise unit.error
        return unit.value

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and self._pid == os.getpid():
            thread.join()

    def _enqueue(self, unit: _Unit) -> None:
        if self._pid != os.getpid():
            # a forked child inherits no thread, and must not touch its parent's connection
            self._engine.dispose(close=False)
            self._reset()
        with self._changed:
            if self._stopping or self._distrusted:
                msg = "the service is stopping" if self._stopping else "the disk lost a write"
                raise AuditUnavailable(msg)
            if len(self._waiting) >= MAX_WAITING:
                msg = "too many units of work wait"
                raise AuditUnavailable(msg)
            self._waiting.append(unit)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="committer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _loop(self) -> None:
        while self._wait_for_work():
            units: list[_Unit] = []
            try:
                self._commit_batch(units)
            except Exception as error:  # noqa: BLE001 - whatever it was, nobody may wait for ever
                if isinstance(error, DBAPIError) and says_fsync_failed(error):
                    # the kernel may have dropped the pages: a later success proves nothing
                    self._distrusted = True
                self._abandon_connection()
                self._refuse(units or self._claim(), error)
        self._abandon_connection()

    def _wait_for_work(self) -> bool:
        with self._changed:
            while not self._waiting and not self._stopping:
                self._changed.wait()
            return bool(self._waiting)

    def _claim(self) -> list[_Unit]:
        units: list[_Unit] = []
        with self._changed:
            while self._waiting and len(units) < MAX_BATCH:
                unit = self._waiting.popleft()
                if unit.state == "waiting":
                    unit.state = "running"
                    units.append(unit)
        return units

    def _commit_batch(self, units: list[_Unit]) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = self._engine.connect()
        transaction = connection.begin()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
        # whoever queued while we waited for our turn comes along
        units.extend(self._claim())
        batch = UnitBatch(connection, self._clock)
        self._run_preamble(batch)
        for unit in units:
            self._run_unit(batch, unit)
        self._tell_device(batch)
        batch.flush()
        transaction.commit()
        batch.tell_committed()
        for unit in units:
            unit.finish(unit.error)

    def _run_preamble(self, batch: UnitBatch) -> None:
        with batch.open() as transaction:
            self._preamble(transaction)

    def _run_unit(self, batch: UnitBatch, unit: _Unit) -> None:
        connection = batch.connection
        connection.exec_driver_sql("SAVEPOINT unit")
        try:
            with batch.open() as transaction:
                unit.value = unit.work(transaction)
                self._require_device(transaction)
        except DBAPIError as error:
            if says_store_is_down(error):
                raise
            unit.error = _as_conflict(error)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, and is raised there
            unit.error = error
        if unit.error is not None:
            unit.value = None
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unit")
        connection.exec_driver_sql("RELEASE SAVEPOINT unit")

    def _require_device(self, transaction: DatabaseTransaction) -> None:
        """Refuse one unit while the device is known to be down, and no other with it."""
        device = self._device
        if device is not None and transaction.needs_second_device and not device.healthy:
            raise AuditUnavailable(_NO_SECOND)

    def _tell_device(self, batch: UnitBatch) -> None:
        """Write to the device; where it falls silent just now, all of the batch is undone."""
        if self._device is None:
            return
        if not self._device.write(batch.records) and batch.needs_second_device:
            raise DeviceSilent

    def _abandon_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except SQLAlchemyError:
                return

    @staticmethod
    def _refuse(units: list[_Unit], cause: BaseException) -> None:
        silent = isinstance(cause, DeviceSilent)
        why = _NO_SECOND if silent else "nothing was changed: the database can't commit"
        for unit in units:
            error = AuditUnavailable(why)
            error.__cause__ = cause
            unit.finish(error)


def _as_conflict(error: DBAPIError) -> Exception:
    if not isinstance(error, IntegrityError):
        return error
    conflict = Conflict("it exists already, or something it needs does not")
    conflict.__cause__ = error
    return conflict
