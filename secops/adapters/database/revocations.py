"""Revocation: rows under one epoch, mirrored in every process's memory.

A daemon thread looks at the epoch ten times a second and at the emergency journal; a
process that revokes changes its own memory as it commits. Questions are answered from
memory, and refused when the news is older than a second.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from secops.adapters.database.tables import emergency_progress, revocation_epoch, revocations
from secops.adapters.database.unit import DatabaseTransaction, upsert
from secops.adapters.emergency import EmergencyJournal
from secops.kernel.clock import Clock
from secops.kernel.errors import Invalid, Unavailable
from secops.kernel.revocations import KINDS, RevocationKind
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import about_to_wait

POLL_SECONDS: Final = 0.1
STALE_SECONDS: Final = 1.0
_FINAL: Final = frozenset({"session", "token"})

Thing = tuple[str, str]


def set_revoked(transaction: Transaction, kind: str, identifier: str, *, revoked: bool) -> int:
    """Write the last word on one thing under a new epoch, and return the epoch."""
    if kind not in KINDS:
        msg = "nothing of this kind can be revoked"
        raise Invalid(msg)
    statement = (
        revocation_epoch.update()
        .values(epoch=revocation_epoch.c.epoch + 1)
        .returning(revocation_epoch.c.epoch)
    )
    epoch: int = transaction.execute(statement).scalar_one()
    upsert(
        transaction,
        revocations,
        {"kind": kind, "identifier": identifier},
        {"epoch": epoch, "revoked": revoked, "at": transaction.now},
    )
    return epoch


_ALIVE: Final[weakref.WeakSet[DatabaseRevocations]] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_ALIVE):
        each.forget_parent()


os.register_at_fork(after_in_child=_after_fork)


class DatabaseRevocations:
    """The kernel's ``Revocations``; ``engine`` is a read-only one."""

    def __init__(self, engine: Engine, clock: Clock, emergency: EmergencyJournal) -> None:
        self._engine = engine
        self._clock = clock
        self._emergency = emergency
        self._reset()
        _ALIVE.add(self)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended: set[Thing] = set()
        self._in_emergency: set[Thing] = set()
        self._ended_here: set[Thing] = set()
        self._emergency_count = 0
        self._known = -1
        self._fresh_at = float("-inf")

    @property
    def epoch(self) -> int:
        """A number that grows with every revocation or restoration."""
        self._make_fresh()
        return self._known + self._emergency_count

    def is_revoked(self, kind: RevocationKind, identifier: str) -> bool:
        """Tell whether it is ended now; raise ``Unavailable`` if news is older than 1 s."""
        thing = (kind, identifier)
        if thing in self._in_emergency or thing in self._ended_here:
            return True
        if self._clock.monotonic() - self._fresh_at > STALE_SECONDS:
            self._make_fresh()
        return thing in self._ended or thing in self._in_emergency

    def revoke(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """End it with this transaction."""
        self._change(transaction, kind, identifier, revoked=True)

    def restore(self, transaction: Transaction, kind: RevocationKind, identifier: str) -> None:
        """Lift a revocation; raise ``Invalid`` for a session's or a token's."""
        if kind in _FINAL:
            msg = f"the revocation of a {kind} is final"
            raise Invalid(msg)
        self._change(transaction, kind, identifier, revoked=False)

    def refresh(self) -> None:
        """Read what is new; raise ``Unavailable`` if the database can't be asked."""
        about_to_wait()
        with self._lock:
            try:
                self._read_emergency()
                self._read_database()
            except (SQLAlchemyError, OSError) as error:
                msg = "the revocations can't be read"
                raise Unavailable(msg) from error

    def end_here(self, things: Iterable[Thing]) -> None:
        """End (kind, identifier) in this process's memory, whatever disks and database do."""
        with self._lock:
            self._ended_here |= set(things)
            self._emergency_count += 1

    def close(self) -> None:
        """Stop looking for news."""
        self._stopping.set()
        if self._thread is not None and self._pid == os.getpid():
            self._thread.join()

    def _change(
        self, transaction: Transaction, kind: RevocationKind, identifier: str, *, revoked: bool
    ) -> None:
        set_revoked(transaction, kind, identifier, revoked=revoked)
        if isinstance(transaction, DatabaseTransaction):
            # this process's memory knows it before the caller is answered
            transaction.after_commit.append(self.refresh)

    def forget_parent(self) -> None:
        """Begin anew in a forked child: it has neither the thread nor the connections."""
        self._engine.dispose(close=False)
        self._reset()

    def _make_fresh(self) -> None:
        if self._clock.monotonic() - self._fresh_at <= STALE_SECONDS:
            return
        self.refresh()
        self._start_polling()

    def _start_polling(self) -> None:
        with self._lock:
            if self._thread is not None or self._stopping.is_set():
                return
            self._thread = threading.Thread(target=self._poll, name="revocations", daemon=True)
            self._thread.start()

    def _poll(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            with contextlib.suppress(Unavailable):
                self.refresh()

    def _read_emergency(self) -> None:
        things = {(entry.kind, entry.identifier) for entry in self._emergency.waiting()}
        self._add_emergency(things)

    def _add_emergency(self, things: set[Thing]) -> None:
        """Let ``things`` be ended; the epoch grows after them, so who sees it sees them."""
        news = not things <= self._in_emergency
        self._in_emergency |= things
        if news:
            self._emergency_count += 1

    def _read_database(self) -> None:
        asked_at = self._clock.monotonic()
        rows: list[Any] = []
        with self._engine.begin() as connection:
            progress = connection.execute(select(emergency_progress)).all()
            epoch = connection.execute(select(revocation_epoch.c.epoch)).scalar_one()
            if epoch != self._known:
                newer = revocations.c.epoch > self._known
                rows = list(connection.execute(select(revocations).where(newer)))
        ended = {(row.kind, row.identifier) for row in rows if row.revoked}
        restored = {(row.kind, row.identifier) for row in rows if not row.revoked}
        self._ended = (self._ended - restored) | ended if rows else self._ended
        self._known = epoch
        # what this snapshot says is imported is among its rows, so memory may drop it
        positions = {row.file_id: row.position for row in progress}
        waiting = self._emergency.waiting(positions)
        still = {(entry.kind, entry.identifier) for entry in waiting}
        self._add_emergency(still)
        self._in_emergency = still
        # what could be written nowhere holds here until something newer is known
        self._ended_here -= ended | restored | self._in_emergency
        self._fresh_at = asked_at
