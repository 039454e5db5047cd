"""The plane's own picture of subjects' risk, as detectors announce it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from iam.ports import RiskStore
from secops.kernel.clock import Clock
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.transactions import Transaction, Transactions
from secops.kernel.waiting import Renewal

REFRESH_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Standing:
    """The highest risk among a caller's subjects, and when it was announced.

    ``demanded`` is when a newer proof of the caller was demanded outright, 0 for never.
    """

    risk: int = 0
    at: int = 0
    demanded: int = 0


_CALM: Final = Standing()


class RiskProjection:
    """Risk by subject (``account:…``, ``session:…``, ``client:…``), 0 where nothing is known.

    Every process reads the table at most every quarter of a second, so a changed risk decides
    within a second in all of them; in the process that receives the announcement, at once.
    """

    def __init__(self, transactions: Transactions, store: RiskStore, clock: Clock) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._known: Mapping[str, tuple[int, int]] = {}
        self._read_at = float("-inf")
        self._renewal = Renewal(float("inf"))
        self._received = 0
        self._lock = threading.Lock()
        self._on_change: Callable[[str, int], None] = lambda _subject, _risk: None

    def bind(self, on_change: Callable[[str, int], None]) -> None:
        """Tell ``on_change`` of subject and risk from now on; it must be idempotent."""
        self._on_change = on_change

    def receive(self, delivery: Delivery) -> None:
        """Store an announced risk; a repeat or an older one changes nothing."""
        announcement = delivery.announcement
        if not isinstance(announcement, SubjectRiskChanged):
            return
        risk = min(100, max(0, announcement.risk))

        def work(tx: Transaction) -> bool:
            return self._store.put(tx, announcement.subject, risk, (delivery.id, delivery.at))

        stored = self._transactions.run(work)
        self._received += 1
        self._read_at = float("-inf")
        # a repeat goes on too: the first delivery may have died between the two
        if stored or self._fresh().get(announcement.subject, (0, 0))[0] == risk:
            self._on_change(announcement.subject, risk)

    def current(self) -> Mapping[str, tuple[int, int]]:
        """Return risk and instant by subject: the same object until it is read again."""
        return self._fresh()

    def standing(self, *subjects: str) -> Standing:
        """Return the highest risk of ``subjects`` and when it was announced."""
        known = self._fresh()
        if not known:
            return _CALM
        risk, at = max(known.get(subject, (0, 0)) for subject in subjects)
        return Standing(risk, at)

    def _fresh(self) -> Mapping[str, tuple[int, int]]:
        now = self._clock.monotonic()
        if now - self._read_at > REFRESH_SECONDS:
            with self._lock:
                if now - self._read_at > REFRESH_SECONDS:
                    self._read(now)
        elif self._renewal.is_mine(now):
            self._read(now)
        return self._known

    def _read(self, now: float) -> None:
        received = self._received
        self._known = self._transactions.read(self._store.all)
        # what was announced while it was read may not be in it
        self._read_at = now if received == self._received else float("-inf")
        self._renewal = Renewal(now + REFRESH_SECONDS / 2)
