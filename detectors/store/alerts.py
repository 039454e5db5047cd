"""Alerts in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from detectors.errors import AlertNotFound
from detectors.models.alerts import RISKS, Alert, AlertFilter, Reason
from detectors.models.triage import Hint
from detectors.store.tables import (
    alert_subjects,
    alert_versions,
    alerts,
    criticalities,
    risk_points,
    risks,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction

_MANY = 500


class DatabaseAlerts:
    """Alerts in the tables ``detectors_alerts`` and ``detectors_alert_subjects``."""

    def create(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> bool:
        """Store ``alert`` unless its id is known; False if it is."""
        known = tx.execute(sa.select(alerts.c.id).where(alerts.c.id == alert.id)).scalar()
        if known is not None:
            return False
        tx.execute(alerts.insert().values(id=alert.id, **_values(alert)))
        self._put_subjects(tx, alert, subjects)
        _add_version(tx, alert.id)
        return True

    def change(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> None:
        """Store an alert's new extent, status and subjects as its next version."""
        values = {**_values(alert), "version": alerts.c.version + 1}
        tx.execute(alerts.update().where(alerts.c.id == alert.id).values(**values))
        _add_version(tx, alert.id)
        tx.execute(alert_subjects.delete().where(alert_subjects.c.alert_id == alert.id))
        self._put_subjects(tx, alert, subjects)

    def get(self, tx: Transaction, alert_id: str) -> Alert:
        """Return it; raise ``AlertNotFound``."""
        row = tx.execute(sa.select(alerts).where(alerts.c.id == alert_id)).first()
        if row is None:
            raise AlertNotFound
        return _alert(row)

    def known(self, tx: Transaction, alert_ids: Sequence[str]) -> frozenset[str]:
        """Return which of ``alert_ids`` are stored."""
        found: set[str] = set()
        for start in range(0, len(alert_ids), _MANY):
            some = alert_ids[start : start + _MANY]
            found.update(tx.execute(sa.select(alerts.c.id).where(alerts.c.id.in_(some))).scalars())
        return frozenset(found)

    def page(
        self, tx: Transaction, org_id: str, wanted: AlertFilter, page: PageRequest
    ) -> Sequence[Alert]:
        """Return at most ``page.limit + 1`` alerts, newest event first."""
        query = sa.select(alerts).where(alerts.c.org_id == org_id)
        for column, value in (
            (alerts.c.status, wanted.status),
            (alerts.c.severity, wanted.severity),
            (alerts.c.rule_id, wanted.rule_id),
        ):
            if value is not None:
                query = query.where(column == value)
        if wanted.since is not None:
            query = query.where(alerts.c.last_at >= wanted.since)
        if wanted.subject is not None:
            about = sa.select(alert_subjects.c.alert_id).where(
                alert_subjects.c.subject == wanted.subject
            )
            query = query.where(alerts.c.id.in_(about))
        if (after := page.key(int, str)) is not None:
            last_at, alert_id = after
            before = sa.and_(alerts.c.last_at == last_at, alerts.c.id < alert_id)
            query = query.where(sa.or_(alerts.c.last_at < last_at, before))
        query = query.order_by(alerts.c.last_at.desc(), alerts.c.id.desc()).limit(page.limit + 1)
        return [_alert(row) for row in tx.execute(query)]

    def overlapping(
        self, tx: Transaction, rule_id: str, group: Sequence[str], window: tuple[int, int]
    ) -> Sequence[Alert]:
        """Return a group's alerts that share an instant with ``window``, oldest raised first."""
        query = (
            sa.select(alerts)
            .where(
                alerts.c.rule_id == rule_id,
                alerts.c.group_key == _group(group),
                alerts.c.status != "superseded",
                alerts.c.last_at >= window[0],
                alerts.c.first_at <= window[1],
            )
            .order_by(alerts.c.raised_at, alerts.c.first_at, alerts.c.id)
        )
        return [_alert(row) for row in tx.execute(query)]

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
        wanted = [(_group(group), at) for group, at in places]
        rows: list[Any] = []
        for start in range(0, len(wanted), _MANY):
            rows += tx.execute(query.where(pair.in_(wanted[start : start + _MANY])))
        return [_alert(row) for row in sorted(rows, key=lambda row: (row.raised_at, row.id))]

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
            )
        )
        if done.rowcount != 1:
            return False
        _add_version(tx, alert_id)
        tx.execute(
            alert_subjects.update().where(alert_subjects.c.alert_id == alert_id).values(open=False)
        )
        return True

    def hints_of(self, tx: Transaction, subject: str) -> tuple[Sequence[Hint], float]:
        """Return what open alerts say of ``subject``, and how critical it is."""
        said = sa.select(alert_subjects.c.risk, alerts.c.raised_at, alerts.c.last_at)
        query = said.join(alerts, alerts.c.id == alert_subjects.c.alert_id).where(
            alert_subjects.c.subject == subject, alert_subjects.c.open.is_(True)
        )
        hints = [
            Hint(row.risk, max(row.raised_at, min(row.last_at, tx.now)))
            for row in tx.execute(query)
        ]
        here = criticalities.c.subject == subject
        weight = tx.execute(sa.select(sa.func.max(criticalities.c.weight)).where(here)).scalar()
        return hints, 1.0 if weight is None else weight / 100

    def note_risk(self, tx: Transaction, org_id: str, about: tuple[str, int], reason: str) -> bool:
        """Store that a subject now has a risk, with the point of its history; False if it had."""
        subject, risk = about
        here = (risks.c.org_id == org_id, risks.c.subject == subject)
        before = tx.execute(sa.select(risks.c.risk).where(*here)).scalar()
        if before == risk or (before is None and risk == 0):
            return False
        values = {"risk": risk, "at": tx.now}
        if before is None:
            tx.execute(risks.insert().values(org_id=org_id, subject=subject, **values))
        else:
            tx.execute(risks.update().where(*here).values(**values))
        point = (
            risk_points.c.org_id == org_id,
            risk_points.c.subject == subject,
            risk_points.c.at == tx.now,
        )
        tx.execute(risk_points.delete().where(*point))
        row = {"org_id": org_id, "subject": subject, **values, "reason": reason[:200]}
        tx.execute(risk_points.insert().values(**row))
        return True

    def _put_subjects(self, tx: Transaction, alert: Alert, subjects: Sequence[str]) -> None:
        for subject in dict.fromkeys(subjects):
            tx.execute(
                alert_subjects.insert().values(
                    alert_id=alert.id,
                    subject=subject,
                    org_id=alert.org_id,
                    risk=RISKS[alert.severity],
                    open=alert.status == "open",
                )
            )


def _add_version(tx: Transaction, alert_id: str) -> None:
    """Keep what the alert says now as one of its versions."""
    columns = ("version", "org_id", "status", "first_at", "last_at", "event_count")
    row = tx.execute(
        sa.select(*(alerts.c[name] for name in columns)).where(alerts.c.id == alert_id)
    ).first()
    if row is not None:
        values = {name: getattr(row, name) for name in columns}
        tx.execute(alert_versions.insert().values(alert_id=alert_id, at=tx.now, **values))


def _group(group: Sequence[str]) -> str:
    return orjson.dumps(list(group)).decode()


def _values(alert: Alert) -> Mapping[str, Any]:
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
        "group_key": _group(alert.group),
        "event_count": alert.event_count,
        "body": orjson.dumps(body).decode(),
        "closed_at": alert.closed_at,
        "closed_by": alert.closed_by,
        "close_reason": alert.close_reason,
    }


def _alert(row: Any) -> Alert:
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
    )
