"""Writing alerts: many in a few statements, each change a version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.alerts import RISKS, Alert
from detectors.store.alert_queries import NEXT_REVISION
from detectors.store.alert_rows import kinds_of, values_of
from detectors.store.pieces import pieces
from detectors.store.tables import alert_subjects, alert_versions, alerts
from secops.kernel.transactions import Transaction

Written = tuple[Alert, Sequence[str]]
"""An alert, and the subjects that carry its risk."""

_MANY: Final = 500
_VERSIONED: Final = ("org_id", "status", "first_at", "last_at", "event_count")


class AlertWriting:
    """Creates, changes and closes alerts with their subjects and versions."""

    def create(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> bool:
        """Store ``alert`` unless its id is known; False if it is."""
        return bool(self.create_many(tx, [(alert, subjects)]))

    def create_many(self, tx: Transaction, written: Sequence[Written]) -> frozenset[str]:
        """Store the alerts whose ids are not known; of one id the first. Return their ids."""
        known = _versions(tx, [alert.id for alert, _ in written])
        fresh: dict[str, Written] = {}
        for each in written:
            if each[0].id not in known:
                fresh.setdefault(each[0].id, each)
        if not fresh:
            return frozenset()
        rows = [
            {"id": alert.id, **values_of(alert), "entity_kinds": kinds_of(subjects)}
            for alert, subjects in fresh.values()
        ]
        tx.execute(alerts.insert().values(revision=NEXT_REVISION), rows)
        _put_subjects(tx, fresh.values())
        tx.execute(alert_versions.insert(), [_version(row, 1, tx.now) for row in rows])
        return frozenset(fresh)

    def change(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> None:
        """Store an alert's new extent, status and subjects as its next version."""
        self.change_many(tx, [(alert, subjects)])

    def change_many(self, tx: Transaction, written: Sequence[Written]) -> None:
        """Store new extents, statuses and subjects in their order, each as a next version."""
        waiting = list(written)
        while waiting:
            now: dict[str, Written] = {}
            later = [each for each in waiting if now.setdefault(each[0].id, each) is not each]
            _change(tx, now)
            waiting = later

    def close(self, tx: Transaction, alert_id: str, closed_by: str, reason: str) -> bool:
        """Close an open alert; one statement checks and closes."""
        done = tx.execute(
            alerts.update()
            .where(alerts.c.id == alert_id, alerts.c.status == "open")
            .values(
                status="closed",
                closed_at=tx.now,
                closed_by=closed_by,
                close_reason=reason,
                version=alerts.c.version + 1,
                revision=NEXT_REVISION,
            )
        )
        if done.rowcount != 1:
            return False
        add_versions(tx, [alert_id])
        tx.execute(
            alert_subjects.update().where(alert_subjects.c.alert_id == alert_id).values(open=False)
        )
        return True


def _change(tx: Transaction, written: Mapping[str, Written]) -> None:
    versions = _versions(tx, list(written))
    rows = [
        {
            "id": alert.id,
            **values_of(alert),
            "entity_kinds": kinds_of(subjects),
            "version": versions[alert.id] + 1,
        }
        for alert, subjects in written.values()
        if alert.id in versions
    ]
    if not rows:
        return
    columns: dict[str, Any] = {
        name: sa.bindparam(f"new_{name}") for name in rows[0] if name != "id"
    }
    columns |= {"revision": NEXT_REVISION, **_reopening(tx.now, sa.bindparam("new_status"))}
    statement = alerts.update().where(alerts.c.id == sa.bindparam("new_id")).values(columns)
    tx.execute(statement, [{f"new_{name}": row[name] for name in row} for row in rows])
    tx.execute(alert_versions.insert(), [_version(row, row["version"], tx.now) for row in rows])
    for some in pieces([row["id"] for row in rows], _MANY):
        tx.execute(alert_subjects.delete().where(alert_subjects.c.alert_id.in_(some)))
    _put_subjects(tx, [written[row["id"]] for row in rows])


def _reopening(at: int, status: Any) -> dict[str, Any]:
    """Return what changes where an alert that was not open becomes so: its time begins anew."""
    reopened = sa.and_(alerts.c.status != "open", status == "open")
    return {
        "reopened_at": sa.case((reopened, at), else_=alerts.c.reopened_at),
        "acknowledged_at": sa.case((reopened, sa.null()), else_=alerts.c.acknowledged_at),
        "acknowledged_by": sa.case((reopened, sa.null()), else_=alerts.c.acknowledged_by),
    }


def _versions(tx: Transaction, ids: Sequence[str]) -> dict[str, int]:
    """Return the version of each alert that is stored."""
    columns = (alerts.c.id, alerts.c.version)
    return {
        row.id: row.version
        for some in pieces(ids, _MANY)
        for row in tx.execute(sa.select(*columns).where(alerts.c.id.in_(some)))
    }


def _put_subjects(tx: Transaction, written: Iterable[Written]) -> None:
    rows = [
        {
            "alert_id": alert.id,
            "subject": subject,
            "org_id": alert.org_id,
            "risk": RISKS[alert.severity],
            "open": alert.status == "open",
        }
        for alert, subjects in written
        for subject in dict.fromkeys(subjects)
    ]
    if rows:
        tx.execute(alert_subjects.insert(), rows)


def add_versions(tx: Transaction, ids: Sequence[str]) -> None:
    """Keep what stored alerts say now as one of their versions."""
    columns = [alerts.c[name] for name in ("id", "version", *_VERSIONED)]
    names = ["alert_id", "version", *_VERSIONED, "at"]
    for some in pieces(ids, _MANY):
        now = sa.select(*columns, sa.literal(tx.now, sa.BigInteger)).where(alerts.c.id.in_(some))
        tx.execute(alert_versions.insert().from_select(names, now))


def _version(row: Mapping[str, Any], version: int, at: int) -> dict[str, Any]:
    said = {name: row[name] for name in _VERSIONED}
    return {"alert_id": row["id"], "version": version, "at": at, **said}
