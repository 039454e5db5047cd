"""Which alerts a filter means, as conditions of a query."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from detectors.models.alerts import AlertFilter
from detectors.store.tables import alert_subjects, alerts

Condition = sa.ColumnElement[bool]

_GIVEN: Final = alerts.alias("given").c.revision
NEXT_REVISION: Final[Any] = sa.select(
    sa.func.coalesce(sa.func.max(_GIVEN), 0) + 1
).scalar_subquery()
"""What numbers a write of alerts: one more than the greatest number given.

Made once: making it takes longer than the write that it is part of.
"""


def conditions_of(org_id: str, wanted: AlertFilter) -> list[Condition]:
    """Return the conditions under which an alert of ``org_id`` is among ``wanted``."""
    found = [alerts.c.org_id == org_id]
    found += [
        column == value
        for column, value in (
            (alerts.c.status, wanted.status),
            (alerts.c.severity, wanted.severity),
            (alerts.c.rule_id, wanted.rule_id),
        )
        if value is not None
    ]
    if wanted.since is not None:
        found.append(alerts.c.last_at >= wanted.since)
    if wanted.subject is not None:
        mine = alert_subjects.c.subject == wanted.subject
        found.append(alerts.c.id.in_(sa.select(alert_subjects.c.alert_id).where(mine)))
    return found


def older_than(last_at: int, alert_id: str) -> Condition:
    """Return the condition of standing behind that alert where the newest event is first."""
    before = sa.and_(alerts.c.last_at == last_at, alerts.c.id < alert_id)
    return sa.and_(alerts.c.last_at <= last_at, sa.or_(alerts.c.last_at < last_at, before))
