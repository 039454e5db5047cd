"""Which alerts a filter means, as conditions of a query."""

from __future__ import annotations

from typing import Any, Final, Literal

import sqlalchemy as sa

from detectors.models.alerts import DRILL, AlertFilter
from detectors.models.queue import DEFAULT_DEADLINES
from detectors.store.tables import alert_deadlines, alert_subjects, alerts
from detectors.store.tables.detection import WAITING
from secops.kernel.transactions import Transaction

Condition = sa.ColumnElement[bool]
NO_DRILL: Final[Condition] = sa.func.substr(alerts.c.rule_id, 1, len(DRILL)) != DRILL
"""What is exercised counts nowhere: it is seen where somebody asks for the drill by its name."""

_GIVEN: Final = alerts.alias("given").c.revision
NEXT_REVISION: Final[Any] = sa.select(
    sa.func.coalesce(sa.func.max(_GIVEN), 0) + 1
).scalar_subquery()
"""What numbers a write of alerts: one more than the greatest number given.

Made once: making it takes longer than the write that it is part of.
"""
OPEN: Final[sa.ColumnElement[str]] = sa.literal_column("'open'")
"""A literal, for a database can't tell that a parameter is what a partial index is about."""
_BY_TIME: Final = "detectors_alerts_by_time"
_BY_ID: Final = "sqlite_autoindex_detectors_alerts_1"
_RARE: Final = 5_000
"""Alerts of an entity that are looked up one by one; those of a more frequent one are met soon."""
WAITS_SINCE: Final = sa.func.coalesce(alerts.c.reopened_at, alerts.c.raised_at)


def greatest_revision(tx: Transaction) -> int:
    """Return the greatest revision of an alert: all that is written later has a greater."""
    return int(tx.execute(sa.select(sa.func.max(alerts.c.revision))).scalar() or 0)


def conditions_of(org_id: str, wanted: AlertFilter) -> list[Condition]:
    """Return the conditions under which an alert of ``org_id`` is among ``wanted``."""
    found = [alerts.c.org_id == org_id]
    if not is_drill(wanted):
        found.append(NO_DRILL)
    if wanted.status is not None:
        found.append(alerts.c.status == (OPEN if wanted.status == "open" else wanted.status))
    found += [
        column == value
        for column, value in (
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
    return [*found, *_handled(org_id, wanted)]


def is_drill(wanted: AlertFilter) -> bool:
    """Tell whether a drill is asked for by its name: only then are its alerts there."""
    return wanted.rule_id is not None and wanted.rule_id.startswith(DRILL)


def _handled(org_id: str, wanted: AlertFilter) -> list[Condition]:
    """Return the conditions on what people did with it, and were to do."""
    found: list[Condition] = []
    if wanted.assignee is not None:
        nobody = alerts.c.assignee.is_(None)
        found.append(alerts.c.assignee == wanted.assignee if wanted.assignee else nobody)
    if wanted.entity_kind is not None:
        # kinds are words without special characters, each between spaces
        found.append(alerts.c.entity_kinds.contains(f" {wanted.entity_kind} ", autoescape=True))
    if wanted.acknowledged is not None:
        waits = alerts.c.acknowledged_at.is_(None)
        found.append(~waits if wanted.acknowledged else waits)
    if wanted.due_before is not None:
        found += [alerts.c.status == OPEN, due_at(org_id) < wanted.due_before]
    return found


def due_at(org_id: str) -> sa.ColumnElement[int]:
    """Return until when an open alert is to be acknowledged, or closed where it is."""
    waits = alerts.c.acknowledged_at.is_(None)
    limit = sa.case(
        (waits, _limit(org_id, "acknowledge")),
        else_=_limit(org_id, "resolve"),
    )
    return WAITS_SINCE + limit


def _limit(org_id: str, name: Literal["acknowledge", "resolve"]) -> sa.ColumnElement[int]:
    decided = alert_deadlines.c
    cases = []
    for severity, default in DEFAULT_DEADLINES.items():
        # uncorrelated: the database asks once for a statement, not once a row
        mine = sa.select(decided[name]).where(
            decided.org_id == org_id, decided.severity == severity
        )
        longest = sa.literal(getattr(default, name), sa.BigInteger)
        cases.append(
            (alerts.c.severity == severity, sa.func.coalesce(mine.scalar_subquery(), longest))
        )
    return sa.case(*cases, else_=sa.literal(0, sa.BigInteger))


def older_than(last_at: int, alert_id: str) -> Condition:
    """Return the condition of standing behind that alert where the newest event is first."""
    before = sa.and_(alerts.c.last_at == last_at, alerts.c.id < alert_id)
    return sa.and_(alerts.c.last_at <= last_at, sa.or_(alerts.c.last_at < last_at, before))


def newer_than(last_at: int, alert_id: str) -> Condition:
    """Return the condition of standing behind that alert where the oldest event is first."""
    after = sa.and_(alerts.c.last_at == last_at, alerts.c.id > alert_id)
    return sa.and_(alerts.c.last_at >= last_at, sa.or_(alerts.c.last_at > last_at, after))


def over_waiting(query: sa.Select[Any], wanted: AlertFilter) -> sa.Select[Any]:
    """Return ``query``, walking the index of open alerts where it is about these alone."""
    if wanted.status != "open":
        return query
    return query.with_hint(alerts, f"INDEXED BY {WAITING}", "sqlite")


def over_index(tx: Transaction, query: sa.Select[Any], wanted: AlertFilter) -> sa.Select[Any]:
    """Return ``query`` of the newest or oldest, over the index in which it ends soonest.

    Without statistics SQLite sorts a whole organisation's alerts by another index, or walks all
    of them for an entity that has three.
    """
    if wanted.status == "open":
        return over_waiting(query, wanted)
    if wanted.subject is not None and _is_rare(tx, wanted.subject):
        return query.with_hint(alerts, f"INDEXED BY {_BY_ID}", "sqlite")
    if (wanted.status, wanted.severity, wanted.rule_id) == (None, None, None):
        return query.with_hint(alerts, f"INDEXED BY {_BY_TIME}", "sqlite")
    return query


def _is_rare(tx: Transaction, subject: str) -> bool:
    mine = sa.select(alert_subjects.c.alert_id).where(alert_subjects.c.subject == subject)
    some = mine.limit(_RARE + 1).subquery()
    return int(tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) <= _RARE
