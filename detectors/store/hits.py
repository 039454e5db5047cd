"""The events of plain rules' alerts, and alerts' versions, in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from detectors.models.schedule import AlertVersion
from detectors.store.pieces import pieces
from detectors.store.tables import alert_hits, alert_versions
from secops.kernel.transactions import Transaction

_MANY: Final = 400
Hit = tuple[int, str]
"""An event's time and id."""


class DatabaseHits:
    """The events that an alert of a plain rule counts: a row for what each step added."""

    def known_hits(
        self, tx: Transaction, hits: Mapping[str, Sequence[Hit]]
    ) -> set[tuple[str, str]]:
        """Return which (alert id, event id) of ``hits``, (time, id) by alert, are stored."""
        found: set[tuple[str, str]] = set()
        for some in pieces(list(hits), _MANY):
            times = [at for alert in some for at, _ in hits[alert]]
            near = (alert_hits.c.first_at <= max(times), alert_hits.c.last_at >= min(times))
            query = sa.select(alert_hits.c.alert_id, alert_hits.c.body)
            known: dict[str, set[str]] = {}
            for row in tx.execute(query.where(alert_hits.c.alert_id.in_(some), *near)):
                known.setdefault(row.alert_id, set()).update(orjson.loads(row.body)[1])
            for alert, events in known.items():
                found.update((alert, event) for _, event in hits[alert] if event in events)
        return found

    def add_hits(self, tx: Transaction, org_id: str, hits: Sequence[tuple[str, str, int]]) -> None:
        """Store new (alert id, event id, time)."""
        by_alert: dict[str, list[Hit]] = {}
        for alert, event, at in hits:
            by_alert.setdefault(alert, []).append((at, event))
        if by_alert:
            rows = [_block(alert, org_id, sorted(mine)) for alert, mine in by_alert.items()]
            tx.execute(alert_hits.insert(), rows)

    def first_hits(
        self, tx: Transaction, alert_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Hit]]:
        """Return (time, id) of the first events of each alert that has some."""
        query = sa.select(alert_hits.c.alert_id, alert_hits.c.first_at, alert_hits.c.body)
        found: dict[str, list[Hit]] = {}
        for some in pieces(alert_ids, _MANY):
            mine = query.where(alert_hits.c.alert_id.in_(some)).order_by(alert_hits.c.first_at)
            for row in tx.execute(mine):
                known = found.setdefault(row.alert_id, [])
                if len(known) < limit or row.first_at <= known[-1][0]:
                    found[row.alert_id] = sorted([*known, *_hits(row.body)])[:limit]
        return found

    def drop_hits(self, tx: Transaction, before: int) -> int:
        """Forget hits of events older than ``before``; return how many."""
        old = alert_hits.c.last_at < before
        dropped = tx.execute(sa.select(sa.func.sum(alert_hits.c.events)).where(old)).scalar() or 0
        tx.execute(alert_hits.delete().where(old))
        for row in list(tx.execute(sa.select(alert_hits).where(alert_hits.c.first_at < before))):
            kept = [hit for hit in _hits(row.body) if hit[0] >= before]
            here = (alert_hits.c.alert_id == row.alert_id, alert_hits.c.first_event)
            tx.execute(alert_hits.delete().where(here[0], here[1] == row.first_event))
            tx.execute(alert_hits.insert(), [_block(row.alert_id, row.org_id, kept)])
            dropped += row.events - len(kept)
        return int(dropped)

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


def _block(alert_id: str, org_id: str, hits: Sequence[Hit]) -> dict[str, Any]:
    """Return what ``hits``, by time, are as a row."""
    times, events = [at for at, _ in hits], [event for _, event in hits]
    return {
        "alert_id": alert_id,
        "first_event": events[0],
        "org_id": org_id,
        "first_at": times[0],
        "last_at": times[-1],
        "events": len(hits),
        "body": orjson.dumps([times, events]).decode(),
    }


def _hits(body: str) -> Iterator[Hit]:
    times, events = orjson.loads(body)
    return zip(times, events, strict=True)
