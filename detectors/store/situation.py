"""Situations in the database, and the sums that they are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import orjson
import sqlalchemy as sa

from detectors.models.rules import Severity
from detectors.models.situation import Situation, SystemRisk
from detectors.store.alert_queries import NO_DRILL, OPEN
from detectors.store.tables import (
    alerts,
    log_sources,
    risks,
    situation_days,
    situations,
)
from secops.kernel.actors import ROOT_ORG
from secops.kernel.transactions import Transaction

_FIRST_EVENT: Final = 0


class DatabaseSituations:
    """The tables ``detectors_situations`` and ``detectors_situation_days``."""

    def organisations(self, tx: Transaction) -> Sequence[str]:
        """Return the organisations that have log sources or entities at risk, and the first one."""
        found = {ROOT_ORG}
        for column in (log_sources.c.org_id, risks.c.org_id):
            found.update(tx.execute(sa.select(column).distinct()).scalars())
        return sorted(found)

    def raised(self, tx: Transaction, org_id: str, since: int, until: int) -> int:
        """Return how many alerts were raised from ``since`` on and before ``until``."""
        query = sa.select(sa.func.count()).where(
            alerts.c.org_id == org_id,
            alerts.c.raised_at >= since,
            alerts.c.raised_at < until,
            NO_DRILL,
        )
        return int(tx.execute(query).scalar_one())

    def newest_open(
        self, tx: Transaction, org_id: str, limit: int
    ) -> Sequence[tuple[Severity, str]]:
        """Return (severity, id of the first event) of the newest open alerts."""
        query = (
            sa.select(alerts.c.severity, alerts.c.body)
            .where(
                alerts.c.org_id == org_id,
                alerts.c.status == OPEN,
                NO_DRILL,
            )
            .order_by(alerts.c.last_at.desc(), alerts.c.id.desc())
            .limit(limit)
        )
        found = []
        for severity, body in tx.execute(query):
            events = orjson.loads(body)["event_ids"]
            found.append((severity, events[_FIRST_EVENT] if events else ""))
        return found

    def risky(self, tx: Transaction, org_id: str, least: int) -> int:
        """Return how many entities have at least this risk."""
        query = sa.select(sa.func.count()).where(risks.c.org_id == org_id, risks.c.risk >= least)
        return int(tx.execute(query).scalar_one())

    def keep(self, tx: Transaction, situation: Situation) -> None:
        """Keep it as the last one."""
        said = asdict(situation)
        values = {"at": said.pop("at"), "said": orjson.dumps(said).decode()}
        mine = situations.c.org_id == situation.org_id
        if tx.execute(situations.update().where(mine).values(**values)).rowcount == 0:
            tx.execute(situations.insert().values(org_id=situation.org_id, **values))

    def note(self, tx: Transaction, org_id: str, day: int, figures: Mapping[str, int]) -> None:
        """Keep the values of ``day``, instead of those that are there."""
        days = situation_days.c
        here = (days.org_id == org_id, days.day == day, days.figure.in_(list(figures)))
        tx.execute(situation_days.delete().where(*here))
        rows = [
            {"org_id": org_id, "day": day, "figure": figure, "value": value}
            for figure, value in figures.items()
        ]
        if rows:
            tx.execute(situation_days.insert().values(rows))

    def last(self, tx: Transaction, org_id: str) -> Situation | None:
        """Return the last one."""
        row = tx.execute(sa.select(situations).where(situations.c.org_id == org_id)).first()
        if row is None:
            return None
        said = orjson.loads(row.said)
        return Situation(
            org_id=row.org_id,
            at=row.at,
            figures=said["figures"],
            systems=tuple(SystemRisk(**each) for each in said["systems"]),
            raised=tuple((day, count) for day, count in said["raised"]),
            weighed=said["weighed"],
            unplaced=said["unplaced"],
        )

    def trends(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, Mapping[int, int]]:
        """Return the figures' values by day, from the day ``since`` on."""
        days = situation_days.c
        query = sa.select(days.figure, days.day, days.value).where(
            days.org_id == org_id, days.day >= since
        )
        found: dict[str, dict[int, int]] = {}
        for figure, day, value in tx.execute(query.order_by(days.day)):
            found.setdefault(figure, {})[day] = value
        return found

    def forget(self, tx: Transaction, before: int) -> None:
        """Drop the figures of days before ``before``."""
        tx.execute(situation_days.delete().where(situation_days.c.day < before))
