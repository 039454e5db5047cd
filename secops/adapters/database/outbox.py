"""Delivery of announcements: at least once, in order, each subscription at its own pace.

A handler that raises holds up its own subscription only: the same event is tried again,
later and later (up to five minutes), and stands in ``troubles`` for the doctor. Nothing
is skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import func, select

from secops.adapters.database.tables import outbox_events, outbox_progress
from secops.adapters.database.unit import upsert
from secops.kernel.clock import DAY, HOUR, MINUTE, SECOND, Clock
from secops.kernel.events import Delivery, Subscription, from_record
from secops.kernel.jobs import Job
from secops.kernel.transactions import Transaction, Transactions

BATCH: Final = 100
KEEP: Final = 7 * DAY
"""Delivered events stay so long, for whoever looks what happened."""
LONGEST_PAUSE: Final = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Trouble:
    """A subscription whose next event could not be handled ``failures`` times."""

    subscription: str
    failures: int
    last_error: str


@dataclass(frozen=True, slots=True)
class _Progress:
    last_id: int = 0
    failures: int = 0
    retry_at: int = 0


class Outbox:
    """Brings events to ``subscriptions``; run ``job`` under the scheduler's lease."""

    def __init__(
        self, transactions: Transactions, clock: Clock, subscriptions: Sequence[Subscription]
    ) -> None:
        names = [subscription.name for subscription in subscriptions]
        if len(set(names)) != len(names):
            msg = "two subscriptions of one name would share their progress"
            raise ValueError(msg)
        self._transactions = transactions
        self._clock = clock
        self._subscriptions = tuple(subscriptions)
        self._prune_at = clock.now() + HOUR

    @property
    def job(self) -> Job:
        """The scheduled work."""
        return Job("outbox", 0.2, self.tick)

    def tick(self) -> bool:
        """Deliver a batch to each subscription; True when more waits."""
        more = [self._deliver(subscription) for subscription in self._subscriptions]
        if self._clock.now() >= self._prune_at:
            self._prune_at = self._clock.now() + HOUR
            self.prune()
        return any(more)

    def troubles(self) -> list[Trouble]:
        """Return the subscriptions that are stuck."""
        statement = select(outbox_progress).where(outbox_progress.c.failures > 0)
        rows = self._transactions.read(lambda tx: tx.execute(statement).all())
        return [Trouble(row.subscription, row.failures, row.last_error) for row in rows]

    def prune(self) -> int:
        """Drop events that everybody has had for a week; return how many."""
        return self._transactions.run(self._prune)

    def _deliver(self, subscription: Subscription) -> bool:
        progress = self._transactions.read(lambda tx: _progress(tx, subscription))
        if progress.retry_at > self._clock.now():
            return False
        rows = self._transactions.read(lambda tx: _next(tx, subscription, progress.last_id))
        last_id = progress.last_id
        for row in rows:
            try:
                subscription.handle(_delivery(row))
            except Exception as error:  # noqa: BLE001 - a handler's defect must not stop others
                self._keep(subscription, last_id, _failures(progress, last_id), error)
                return False
            last_id = row.id
        if rows:
            self._keep(subscription, last_id, 0, None)
        return len(rows) == BATCH

    def _keep(
        self,
        subscription: Subscription,
        last_id: int,
        failures: int,
        error: Exception | None,
    ) -> None:
        pause = min(SECOND << min(failures, 20), LONGEST_PAUSE) if failures else 0
        values = {
            "last_id": last_id,
            "failures": failures,
            # the type alone: a message may quote what it was about
            "last_error": type(error).__name__ if error else "",
            "retry_at": self._clock.now() + pause if failures else 0,
        }
        key = {"subscription": subscription.name}
        self._transactions.run(lambda tx: upsert(tx, outbox_progress, key, values))

    def _prune(self, tx: Transaction) -> int:
        kept = {
            row.subscription: row.last_id
            for row in tx.execute(select(outbox_progress.c.subscription, outbox_progress.c.last_id))
        }
        removed = 0
        heard = {subscription.kind.name for subscription in self._subscriptions}
        names = tx.execute(select(outbox_events.c.name).distinct()).scalars().all()
        for name in names:
            positions = [kept.get(s.name, 0) for s in self._subscriptions if s.kind.name == name]
            newest = tx.execute(select(func.max(outbox_events.c.id))).scalar_one()
            limit = min(positions) if name in heard else newest
            old = outbox_events.delete().where(
                outbox_events.c.name == name,
                outbox_events.c.id <= limit,
                outbox_events.c.at < tx.now - KEEP,
            )
            removed += tx.execute(old).rowcount
        return removed


def _progress(tx: Transaction, subscription: Subscription) -> _Progress:
    statement = select(
        outbox_progress.c.last_id, outbox_progress.c.failures, outbox_progress.c.retry_at
    ).where(outbox_progress.c.subscription == subscription.name)
    row = tx.execute(statement).first()
    return _Progress() if row is None else _Progress(*row)


def _next(tx: Transaction, subscription: Subscription, last_id: int) -> Sequence[Any]:
    statement = (
        select(outbox_events)
        .where(outbox_events.c.name == subscription.kind.name, outbox_events.c.id > last_id)
        .order_by(outbox_events.c.id)
        .limit(BATCH)
    )
    rows: Sequence[Any] = tx.execute(statement).all()
    return rows


def _failures(progress: _Progress, last_id: int) -> int:
    """Count the tries of this very event: another one begins anew."""
    return progress.failures + 1 if last_id == progress.last_id else 1


def _delivery(row: Any) -> Delivery:
    record = {"name": row.name, **orjson.loads(row.payload)}
    return Delivery(row.id, row.at, from_record(record))
