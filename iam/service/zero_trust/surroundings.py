"""What surrounds a caller: kind, real-name level, factors, device. Read when first needed."""

from __future__ import annotations

from typing import Final

from iam.models.zero_trust import Surroundings
from iam.ports import SurroundingsStore
from secops.kernel.actors import Actor
from secops.kernel.clock import Clock
from secops.kernel.revocations import Revocations
from secops.kernel.transactions import Transaction, Transactions

REFRESH_SECONDS: Final = 0.5
MAX_CACHED: Final = 20_000
NOTHING: Final = Surroundings()


class SurroundingsProjection:
    """What is known of callers, for half a second at most and not beyond a revocation.

    So a device's new report, a changed real-name level and a locked device decide within a
    second in every process.
    """

    def __init__(
        self,
        transactions: Transactions,
        store: SurroundingsStore,
        revocations: Revocations,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._revocations = revocations
        self._clock = clock
        self._known: dict[str, tuple[int, float, Surroundings]] = {}

    def of(self, actor: Actor) -> Surroundings:
        """Return what is known of ``actor``; raise ``Unavailable``."""
        if actor.kind != "account":
            return NOTHING
        epoch, now = self._revocations.epoch, self._clock.monotonic()
        name = actor.session_id or actor.id
        known = self._known.get(name)
        if known is not None and known[0] == epoch and now - known[1] <= REFRESH_SECONDS:
            return known[2]
        found = self._transactions.read(lambda tx: self._read(tx, actor))
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[name] = (epoch, now, found)
        return found

    def _read(self, tx: Transaction, actor: Actor) -> Surroundings:
        if actor.session_id is not None:
            found = self._store.of_session(tx, actor.session_id)
            if found is not None:
                return found
        return self._store.of_account(tx, actor.id) or NOTHING
