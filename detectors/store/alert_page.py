"""What lies around an alert, read from the tables of alerts and bulk actions."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.alert_page import Closing, Closings, Place
from detectors.models.alerts import Alert, AlertFilter
from detectors.store.alert_queries import conditions_of, newer_than, older_than
from detectors.store.alert_rows import group_key
from detectors.store.tables import alerts, bulk_actions, bulk_items
from secops.kernel.transactions import Transaction

COUNTED: Final = 2_000
"""So many closed alerts are counted, those with the newest events."""
WALKED: Final = 200_000
"""Behind so many alerts of a rule no closed one is looked for."""
_REASONS: Final = 10
_LAST: Final = 5


class DatabaseAlertPage:
    """Implements ``detectors.ports.alert_page.AlertPageStore``."""

    def place(self, tx: Transaction, org_id: str, wanted: AlertFilter, alert: Alert) -> Place:
        """Return which alerts of a view stand before and behind ``alert``, newest event first."""
        query = sa.select(alerts.c.id).where(
            *conditions_of(org_id, wanted), alerts.c.id != alert.id
        )
        older = query.where(older_than(alert.last_at, alert.id))
        newer = query.where(newer_than(alert.last_at, alert.id))
        behind = older.order_by(alerts.c.last_at.desc(), alerts.c.id.desc()).limit(1)
        before = newer.order_by(alerts.c.last_at, alerts.c.id).limit(1)
        return Place(tx.execute(before).scalar(), tx.execute(behind).scalar())

    def closings(self, tx: Transaction, alert: Alert, *, same_entity: bool) -> Closings:
        """Return how the rule's other alerts (of the same entity) were closed."""
        same = [alerts.c.org_id == alert.org_id, alerts.c.rule_id == alert.rule_id]
        if same_entity:
            same.append(alerts.c.group_key == group_key(alert.group))
        names = ("id", "title", "status", "closed_at", "closed_by", "close_reason")
        columns = [alerts.c[name] for name in names]
        newest = sa.select(*columns).where(*same, alerts.c.id != alert.id)
        newest = newest.order_by(alerts.c.last_at.desc(), alerts.c.id.desc())
        # both databases hand on the order of the rows walked, and stop walking with the last wanted
        walked = newest.limit(WALKED).subquery()
        found = sa.select(walked).where(walked.c.status == "closed").limit(COUNTED + 1)
        rows = tx.execute(found).all()
        closed = rows[:COUNTED]
        reasons = Counter(row.close_reason for row in closed)
        counts = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        last = sorted(closed, key=lambda row: (row.closed_at or 0, row.id), reverse=True)
        return Closings(
            closed=len(closed),
            cut=len(rows) > COUNTED,
            counts=tuple(counts[:_REASONS]),
            last=tuple(_closing(row) for row in last[:_LAST]),
        )

    def closing_action(self, tx: Transaction, alert: Alert) -> str | None:
        """Return the id of the bulk action that closed ``alert``, None where none did."""
        if alert.status != "closed" or alert.closed_by is None:
            return None
        joined = bulk_actions.join(bulk_items, bulk_items.c.action_id == bulk_actions.c.id)
        query = (
            sa.select(bulk_actions.c.id)
            .select_from(joined)
            .where(
                bulk_actions.c.org_id == alert.org_id,
                bulk_actions.c.verb == "close",
                bulk_actions.c.ordered_by == alert.closed_by,
                bulk_actions.c.reason == alert.close_reason,
                bulk_actions.c.ordered_at <= alert.closed_at,
                sa.or_(
                    bulk_actions.c.ended_at.is_(None), bulk_actions.c.ended_at >= alert.closed_at
                ),
                bulk_items.c.alert_id == alert.id,
                bulk_items.c.result == "done",
            )
            .order_by(bulk_actions.c.created_at.desc())
            .limit(1)
        )
        found: str | None = tx.execute(query).scalar()
        return found


def _closing(row: Any) -> Closing:
    return Closing(row.id, row.title, row.closed_at or 0, row.closed_by or "", row.close_reason)
