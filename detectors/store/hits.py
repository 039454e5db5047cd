"""The events of plain rules' alerts, and alerts' versions, in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from detectors.models.schedule import AlertVersion
from detectors.store.tables import alert_versions, plain_hits
from secops.kernel.transactions import Transaction

_MANY: Final = 400


class DatabaseHits:
    """One row for each event that an alert of a plain rule counts."""

    def known_hits(
        self, tx: Transaction, hits: Mapping[str, Sequence[str]]
    ) -> set[tuple[str, str]]:
        """Return which (alert id, event id) of ``hits`` are stored."""
        wanted = [(alert, event) for alert, events in hits.items() for event in events]
        key = sa.tuple_(plain_hits.c.alert_id, plain_hits.c.event_id)
        found: set[tuple[str, str]] = set()
        for start in range(0, len(wanted), _MANY):
            query = sa.select(plain_hits.c.alert_id, plain_hits.c.event_id)
            rows = tx.execute(query.where(key.in_(wanted[start : start + _MANY])))
            found.update((row.alert_id, row.event_id) for row in rows)
        return found

    def add_hits(self, tx: Transaction, org_id: str, hits: Sequence[tuple[str, str, int]]) -> None:
        """Store new (alert id, event id, time)."""
        if hits:
            tx.execute(
                plain_hits.insert(),
                [
                    {"alert_id": alert, "event_id": event, "at": at, "org_id": org_id}
                    for alert, event, at in hits
                ],
            )

    def first_hits(self, tx: Transaction, alert_id: str, limit: int) -> Sequence[tuple[int, str]]:
        """Return (time, id) of an alert's first events."""
        query = (
            sa.select(plain_hits.c.at, plain_hits.c.event_id)
            .where(plain_hits.c.alert_id == alert_id)
            .order_by(plain_hits.c.at, plain_hits.c.event_id)
            .limit(limit)
        )
        return [(row.at, row.event_id) for row in tx.execute(query)]

    def drop_hits(self, tx: Transaction, before: int) -> int:
        """Forget hits of events older than ``before``; return how many."""
        return int(tx.execute(plain_hits.delete().where(plain_hits.c.at < before)).rowcount)

    def versions(self, tx: Transaction, alert_id: str) -> Sequence[AlertVersion]:
        """Return an alert's versions, the oldest first."""
        query = (
            sa.select(alert_versions)
            .where(alert_versions.c.alert_id == alert_id)
            .order_by(alert_versions.c.version)
        )
        return [
            AlertVersion(
                row.alert_id,
                row.version,
                row.at,
                row.status,
                row.first_at,
                row.last_at,
                row.event_count,
            )
            for row in tx.execute(query)
        ]
