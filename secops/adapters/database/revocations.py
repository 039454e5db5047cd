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
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from secops.adapters.database.tables import emergency_progress, revocation_epoch, revocations
from secops.adapters.database.unit import DatabaseTransaction, upsert
from secops.adapters.emergency import EmergencyJournal, Entry
from secops.kernel.clock import Clock
from secops.kernel.errors import Invalid, Unavailable
from secops.kernel.revocations import KINDS, RevocationKind
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import about_to_wait

POLL_SECONDS: Final = 0.1
STALE_SECONDS: Final = 1.0
_FINAL: Final = frozenset({"session", "token"})

Thing = tuple[str, str]


def set_revoked(
    transaction: Transaction, kind: str, identifier: str, *, revoked: bool, at: int | None = None
) -> int:
    """Write the last word on one thing under a new epoch, and return the epoch.

    ``at`` is when it was said, None for now.
    """
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
        {"epoch": epoch, "revoked": revoked, "at": transaction.now if at is None else at},
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
        # each with the instant since when; replaced and never changed, for readers look as they are
        self._ended: dict[Thing, int] = {}
        self._in_emergency: dict[Thing, int] = {}
        self._ended_here: dict[Thing, int] = {}
        self._of_kind: dict[str, tuple[int, Mapping[str, int]]] = {}
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

    def ended_of(self, kind: RevocationKind) -> Mapping[str, int]:
        """Return all of a kind that is ended now, and since when; raises as ``is_revoked``."""
        # asked before the things themselves: they may be newer than it, and never older
        epoch = self.epoch
        kept = self._of_kind.get(kind)
        if kept is None or kept[0] != epoch:
            every = (self._ended, self._ended_here, self._in_emergency)
            found = {key[1]: at for things in every for key, at in things.items() if key[0] == kind}
            kept = self._of_kind[kind] = (epoch, found)
        return kept[1]

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
            now = self._clock.now()
            self._ended_here = dict.fromkeys(things, now) | self._ended_here
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
        self._add_emergency(_things(self._emergency.waiting()))

    def _add_emergency(self, things: dict[Thing, int]) -> None:
        """Let ``things`` be ended; the epoch grows after them, so who sees it sees them."""
        news = not things.keys() <= self._in_emergency.keys()
        self._in_emergency = things | self._in_emergency
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
        ended = {(row.kind, row.identifier): row.at for row in rows if row.revoked}
        restored = {(row.kind, row.identifier) for row in rows if not row.revoked}
        if rows:
            before = self._ended.items()
            self._ended = {thing: at for thing, at in before if thing not in restored} | ended
        self._known = epoch
        # what this snapshot says is imported is among its rows, so memory may drop it
        positions = {row.file_id: row.position for row in progress}
        still = _things(self._emergency.waiting(positions))
        self._add_emergency(still)
        self._in_emergency = still
        # what could be written nowhere holds here until something newer is known
        known = ended.keys() | restored | still.keys()
        here = self._ended_here.items()
        self._ended_here = {thing: at for thing, at in here if thing not in known}
        self._fresh_at = asked_at


def _things(entries: Iterable[Entry]) -> dict[Thing, int]:
    """Return what ``entries`` ended, each since the first of them."""
    found: dict[Thing, int] = {}
    for entry in entries:
        found.setdefault((entry.kind, entry.identifier), entry.at)
    return found
