"""Alerts as rows of the database, and rows as alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa

from detectors.models.alerts import Alert, Reason
from detectors.store.pieces import pieces
from detectors.store.tables import alerts
from secops.kernel.transactions import Transaction

_MANY: Final = 500


def group_key(group: Sequence[str]) -> str:
    """Return a group as its alerts' rows name it."""
    return orjson.dumps(list(group)).decode()


def values_of(alert: Alert) -> Mapping[str, Any]:
    """Return what a detector says in an alert's row.

    Not what people did with it (who has it, who took it up): a detector that read it earlier
    must not take that back.
    """
    body = {
        "subjects": dict(alert.subjects),
        "reasons": [[r.condition, r.expected, r.seen] for r in alert.reasons],
        "event_ids": list(alert.event_ids),
        "tags": list(alert.tags),
        "custom": dict(alert.custom),
        "superseded": list(alert.superseded),
    }
    return {
        "org_id": alert.org_id,
        "kind": alert.kind,
        "rule_id": alert.rule_id,
        "rule_version": alert.rule_version,
        "title": alert.title,
        "severity": alert.severity,
        "status": alert.status,
        "raised_at": alert.raised_at,
        "first_at": alert.first_at,
        "last_at": alert.last_at,
        "group_key": group_key(alert.group),
        "event_count": alert.event_count,
        "body": orjson.dumps(body).decode(),
        "closed_at": alert.closed_at,
        "closed_by": alert.closed_by,
        "close_reason": alert.close_reason,
    }


def kinds_of(subjects: Sequence[str]) -> str:
    """Return the kinds of ``subjects`` (``account:ann``), each between spaces."""
    kinds = sorted({subject.partition(":")[0] for subject in subjects})
    return "".join(f" {kind} " for kind in kinds)


def alerts_of(tx: Transaction, ids: Sequence[str]) -> dict[str, Alert]:
    """Return those of ``ids`` that are stored, by id."""
    return {
        row.id: alert_of(row)
        for some in pieces(ids, _MANY)
        for row in tx.execute(sa.select(alerts).where(alerts.c.id.in_(some)))
    }


def alert_of(row: Any) -> Alert:
    """Return the alert in ``row``."""
    body = orjson.loads(row.body)
    return Alert(
        id=row.id,
        org_id=row.org_id,
        kind=row.kind,
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        title=row.title,
        severity=row.severity,
        raised_at=row.raised_at,
        first_at=row.first_at,
        last_at=row.last_at,
        group=tuple(orjson.loads(row.group_key)),
        subjects=body["subjects"],
        reasons=tuple(Reason(*reason) for reason in body["reasons"]),
        event_ids=tuple(body["event_ids"]),
        event_count=row.event_count,
        tags=tuple(body["tags"]),
        custom=body["custom"],
        status=row.status,
        superseded=tuple(body["superseded"]),
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        close_reason=row.close_reason,
        version=row.version,
        suppressed_by=row.suppressed_by,
        assignee=row.assignee,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        reopened_at=row.reopened_at,
    )
