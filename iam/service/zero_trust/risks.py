"""The plane's own picture of subjects' risk, as detectors announce it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from iam.ports import RiskStore
from secops.kernel.clock import Clock
from secops.kernel.events import Delivery, SubjectRiskChanged
from secops.kernel.transactions import Transaction, Transactions

REFRESH_SECONDS: Final = 0.5


class RiskProjection:
    """Risk by subject (``account:…``, ``session:…``, ``client:…``), 0 where nothing is known.

    Every process reads the table at most every half second, so a changed risk decides within
    a second in all of them; in the process that receives the announcement, at once.
    """

    def __init__(self, transactions: Transactions, store: RiskStore, clock: Clock) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._known: Mapping[str, int] = {}
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def receive(self, delivery: Delivery) -> None:
        """Store an announced risk; a repeat or an older one changes nothing."""
        announcement = delivery.announcement
        if not isinstance(announcement, SubjectRiskChanged):
            return
        risk = min(100, max(0, announcement.risk))

        def work(tx: Transaction) -> bool:
            return self._store.put(tx, announcement.subject, risk, (delivery.id, delivery.at))

        self._transactions.run(work)
        self._read_at = float("-inf")

    def highest(self, *subjects: str) -> int:
        """Return the highest risk of ``subjects``."""
        known = self._fresh()
        if not known:
            return 0
        return max(known.get(subject, 0) for subject in subjects)

    def _fresh(self) -> Mapping[str, int]:
        now = self._clock.monotonic()
        if now - self._read_at > REFRESH_SECONDS:
            with self._lock:
                if now - self._read_at > REFRESH_SECONDS:
                    self._known = self._transactions.read(self._store.all)
                    self._read_at = now
        return self._known
