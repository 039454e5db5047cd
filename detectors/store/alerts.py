"""Alerts in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from detectors.errors import AlertNotFound
from detectors.models.alerts import Alert
from detectors.store.alert_queue import AlertPages
from detectors.store.alert_rows import alert_of, alerts_of, group_key
from detectors.store.alert_views import DatabaseAlertDeadlines
from detectors.store.alert_writing import AlertWriting
from detectors.store.pieces import pieces
from detectors.store.risk_notes import RiskNotes
from detectors.store.tables import alerts
from secops.kernel.transactions import Transaction

_MANY: Final = 500


class DatabaseAlerts(AlertPages, AlertWriting, RiskNotes, DatabaseAlertDeadlines):
    """Alerts in the tables ``detectors_alerts`` and ``detectors_alert_subjects``."""

    def get(self, tx: Transaction, alert_id: str) -> Alert:
        """Return it; raise ``AlertNotFound``."""
        row = tx.execute(sa.select(alerts).where(alerts.c.id == alert_id)).first()
        if row is None:
            raise AlertNotFound
        return alert_of(row)

    def found(self, tx: Transaction, alert_ids: Sequence[str]) -> Mapping[str, Alert]:
        """Return those of ``alert_ids`` that are stored, by id."""
        return alerts_of(tx, alert_ids)

    def known(self, tx: Transaction, alert_ids: Sequence[str]) -> frozenset[str]:
        """Return which of ``alert_ids`` are stored."""
        found: set[str] = set()
        for some in pieces(alert_ids, _MANY):
            found.update(tx.execute(sa.select(alerts.c.id).where(alerts.c.id.in_(some))).scalars())
        return frozenset(found)

    def single_events(
        self, tx: Transaction, rule_ids: Collection[str], first: int, last: int
    ) -> Sequence[tuple[str, str, str]]:
        """Return (rule, alert id, event id) of plain rules' alerts of one event in that time."""
        columns = (alerts.c.id, alerts.c.rule_id, alerts.c.body)
        query = sa.select(*columns).where(
            alerts.c.kind == "rule",
            alerts.c.event_count == 1,
            alerts.c.last_at.between(first, last),
        )
        return [
            (row.rule_id, row.id, event)
            for some in pieces(list(rule_ids), _MANY)
            for row in tx.execute(query.where(alerts.c.rule_id.in_(some)))
            for event in orjson.loads(row.body)["event_ids"]
        ]

    def overlapping(
        self, tx: Transaction, rule_id: str, group: Sequence[str], window: tuple[int, int]
    ) -> Sequence[Alert]:
        """Return a group's alerts that share an instant with ``window``, oldest raised first."""
        query = (
            sa.select(alerts)
            .where(
                alerts.c.rule_id == rule_id,
                alerts.c.group_key == group_key(group),
                alerts.c.status != "superseded",
                alerts.c.last_at >= window[0],
                alerts.c.first_at <= window[1],
            )
            .order_by(alerts.c.raised_at, alerts.c.first_at, alerts.c.id)
        )
        return [alert_of(row) for row in tx.execute(query)]

    def standing_at(
        self, tx: Transaction, rule_id: str, places: Sequence[tuple[Sequence[str], int]]
    ) -> Sequence[Alert]:
        """Return alerts of groups that begin and end at an instant of ``places``, oldest first."""
        query = sa.select(alerts).where(
            alerts.c.rule_id == rule_id,
            alerts.c.status != "superseded",
            alerts.c.first_at == alerts.c.last_at,
        )
        pair = sa.tuple_(alerts.c.group_key, alerts.c.last_at)
        wanted = [(group_key(group), at) for group, at in places]
        rows: list[Any] = []
        for some in pieces(wanted, _MANY):
            rows += tx.execute(query.where(pair.in_(some)))
        return [alert_of(row) for row in sorted(rows, key=lambda row: (row.raised_at, row.id))]
