"""Units of work in memory: what stores keep elsewhere is not undone, leaves and events are."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from secops.kernel.clock import Clock
from secops.kernel.errors import AuditUnavailable
from secops.kernel.events import Announcement
from secops.kernel.trail import Act, encode_act
from secops.kernel.transactions import Restriction
from tests.fakes.clock import FakeClock
from tests.fakes.revocations import FakeRevocations

T = TypeVar("T")


class FakeTransaction:
    def __init__(self, now: int, *, read_only: bool = False) -> None:
        self._now = now
        self._read_only = read_only
        self.acts: list[Act] = []
        self.announcements: list[Announcement] = []

    @property
    def now(self) -> int:
        return self._now

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        msg = "a fake transaction has no database: give the service a fake store"
        raise AssertionError(msg)

    def record(self, act: Act) -> None:
        self._check_writable()
        encode_act(act, self._now)  # what can't be encoded must fail in tests too
        self.acts.append(act)

    def announce(self, announcement: Announcement) -> None:
        self._check_writable()
        self.announcements.append(announcement)

    def _check_writable(self) -> None:
        if self._read_only:
            msg = "a read can't record or announce; use run"
            raise RuntimeError(msg)


class FakeTransactions:
    """``acts`` and ``announcements`` are what committed; ``down`` makes every commit fail."""

    def __init__(
        self, clock: Clock | None = None, revocations: FakeRevocations | None = None
    ) -> None:
        self._clock = clock or FakeClock()
        self._revocations = revocations or FakeRevocations()
        self._lock = threading.Lock()
        self.acts: list[Act] = []
        self.announcements: list[Announcement] = []
        self.emergency: list[Restriction] = []
        self.down = False

    def run(self, work: Callable[[Any], T]) -> T:
        if not self._lock.acquire(timeout=10):
            msg = "a unit of work inside a unit of work would wait for itself"
            raise RuntimeError(msg)
        try:
            if self.down:
                raise AuditUnavailable
            transaction = FakeTransaction(self._clock.now())
            value = work(transaction)
            self.acts += transaction.acts
            self.announcements += transaction.announcements
            return value
        finally:
            self._lock.release()

    def read(self, work: Callable[[Any], T]) -> T:
        return work(FakeTransaction(self._clock.now(), read_only=True))

    def restrict(self, work: Callable[[Any], T], *restrictions: Restriction) -> T | None:
        def restricting(transaction: FakeTransaction) -> T:
            value = work(transaction)
            for restriction in restrictions:
                transaction.record(restriction.act)
            return value

        try:
            value = self.run(restricting)
        except AuditUnavailable:
            self.emergency += restrictions
            for restriction in restrictions:
                self._revocations.end(restriction.kind, restriction.id)
            return None
        for restriction in restrictions:
            self._revocations.end(restriction.kind, restriction.id)
        return value
