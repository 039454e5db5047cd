"""Which real-name level an application demands; read when first asked for."""

from __future__ import annotations

from typing import Final

from iam.core.real_name import demanded_rung
from iam.models.options import CLI_CLIENT, CONSOLE_CLIENT
from iam.ports import DemandStore
from secops.kernel.clock import Clock
from secops.kernel.errors import NotFound
from secops.kernel.transactions import Transactions

REFRESH_SECONDS: Final = 0.5
MAX_CACHED: Final = 5_000
_OURS: Final = frozenset({CONSOLE_CLIENT, CLI_CLIENT})
"""The product itself: no registration, and nobody can register under these ids."""


class DemandProjection:
    """What applications demand, for half a second at most: a change counts within a second."""

    def __init__(self, transactions: Transactions, store: DemandStore, clock: Clock) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._known: dict[str, tuple[float, int]] = {}

    def of(self, application: str) -> int:
        """Return the least level on our ladder, 0 for none; raise ``NotFound``, ``Unavailable``."""
        if application in _OURS:
            return 0
        now = self._clock.monotonic()
        known = self._known.get(application)
        if known is not None and now - known[0] <= REFRESH_SECONDS:
            return known[1]
        found = self._transactions.read(lambda tx: self._store.of_application(tx, application))
        if found is None:
            # what nobody registered demands nothing that could be met
            msg = "there is no such application"
            raise NotFound(msg)
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        rung = demanded_rung(found)
        self._known[application] = (now, rung)
        return rung
