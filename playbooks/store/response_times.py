"""The instants that response times are measured by, asked of incidents and their alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from playbooks.models.response_times import IncidentTimes
from playbooks.store.rows import fields_of
from playbooks.store.tables import incident_alerts, incidents
from secops.kernel.transactions import Transaction

MAX_MEASURED: Final = 10_000
_OUT: Final = ("duplicate", "test")


class ResponseTimeRows:
    """Implements ``playbooks.ports.response_times.ResponseTimeStore``."""

    def closed(
        self, transaction: Transaction, org_id: str, since: int, until: int
    ) -> Sequence[IncidentTimes]:
        """Return incidents closed in the period, the last closed first, at most 10,000."""
        columns = incidents.c
        wanted = (
            columns.closed_at >= since,
            columns.closed_at < until,
            columns.ending.not_in(_OUT),
        )
        return _times(transaction, org_id, wanted)

    def open(self, transaction: Transaction, org_id: str) -> Sequence[IncidentTimes]:
        """Return incidents that are open, at most 10,000."""
        return _times(transaction, org_id, (incidents.c.state != "closed",))


def _times(transaction: Transaction, org_id: str, wanted: Sequence[Any]) -> list[IncidentTimes]:
    columns = incidents.c
    every = incidents.alias("every")
    linked = sa.join(incident_alerts, every, every.c.id == incident_alerts.c.incident_id)
    original = sa.func.coalesce(sa.func.nullif(every.c.duplicate_of, ""), every.c.id)
    first = (
        sa.select(
            original.label("original"),
            sa.func.min(incident_alerts.c.created_at).label("first_alert_at"),
            sa.func.min(incident_alerts.c.first_event_at).label("first_event_at"),
            sa.func.min(incident_alerts.c.acknowledged_at).label("alert_acknowledged_at"),
        )
        .select_from(linked)
        .where(every.c.org_id == org_id)
        .group_by(original)
        .subquery()
    )
    earlier = sa.case(
        (
            sa.and_(
                first.c.alert_acknowledged_at.is_not(None),
                sa.or_(
                    columns.acknowledged_at.is_(None),
                    first.c.alert_acknowledged_at < columns.acknowledged_at,
                ),
            ),
            first.c.alert_acknowledged_at,
        ),
        else_=columns.acknowledged_at,
    )
    rows = transaction.execute(
        sa.select(
            columns.id.label("incident_id"),
            columns.closed_at,
            columns.opened_at,
            first.c.first_alert_at,
            first.c.first_event_at,
            earlier.label("acknowledged_at"),
            columns.contained_at,
        )
        .select_from(sa.outerjoin(incidents, first, first.c.original == columns.id))
        .where(columns.org_id == org_id, columns.drill.is_(False), *wanted)
        .order_by(columns.closed_at.desc(), columns.id)
        .limit(MAX_MEASURED)
    )
    return [IncidentTimes(**fields_of(row)) for row in rows]
