"""The published risk of entities in the database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from detectors.models.triage import EntityRisk, RiskPoint
from detectors.store.tables import criticalities, risk_points, risks
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class DatabaseRisks:
    """What was published of entities; alerts write it through the store of alerts."""

    def riskiest(
        self, tx: Transaction, org_id: str, page: PageRequest, least: int = 1
    ) -> Sequence[EntityRisk]:
        """Return at most ``page.limit + 1`` entities of at least this risk, the riskiest first."""
        query = sa.select(risks.c.subject, risks.c.risk, risks.c.at, criticalities.c.weight)
        joined = query.select_from(risks.outerjoin(criticalities, _same()))
        found = joined.where(risks.c.org_id == org_id, risks.c.risk >= max(least, 1))
        if (after := page.key(int, str)) is not None:
            risk, subject = after
            behind = sa.and_(risks.c.risk == risk, risks.c.subject > subject)
            found = found.where(sa.or_(risks.c.risk < risk, behind))
        ordered = found.order_by(risks.c.risk.desc(), risks.c.subject).limit(page.limit + 1)
        return [
            EntityRisk(row.subject, row.risk, row.at, _weight(row.weight))
            for row in tx.execute(ordered)
        ]

    def of(self, tx: Transaction, org_id: str, subject: str) -> EntityRisk:
        """Return what was last published of an entity; 0 where nothing was."""
        here = (risks.c.org_id == org_id, risks.c.subject == subject)
        row = tx.execute(sa.select(risks).where(*here)).first()
        there = (criticalities.c.org_id == org_id, criticalities.c.subject == subject)
        weight = _weight(tx.execute(sa.select(criticalities.c.weight).where(*there)).scalar())
        if row is None:
            return EntityRisk(subject, 0, 0, weight)
        return EntityRisk(subject, row.risk, row.at, weight)

    def history(
        self, tx: Transaction, org_id: str, subject: str, limit: int
    ) -> Sequence[RiskPoint]:
        """Return the last points of an entity's history, the oldest first."""
        here = (risk_points.c.org_id == org_id, risk_points.c.subject == subject)
        newest = sa.select(risk_points).where(*here).order_by(risk_points.c.at.desc())
        rows = list(tx.execute(newest.limit(limit)))
        return [RiskPoint(row.at, row.risk, row.reason) for row in reversed(rows)]

    def stale(self, tx: Transaction, before: int, limit: int) -> Sequence[tuple[str, str]]:
        """Return (org, subject) with a risk that was computed before ``before``."""
        query = sa.select(risks.c.org_id, risks.c.subject)
        old = query.where(risks.c.risk > 0, risks.c.at < before).order_by(risks.c.at)
        return [(row.org_id, row.subject) for row in tx.execute(old.limit(limit))]

    def touch(self, tx: Transaction, org_id: str, subject: str) -> None:
        """Note that the risk was computed now and is the same."""
        here = (risks.c.org_id == org_id, risks.c.subject == subject)
        tx.execute(risks.update().where(*here).values(at=tx.now))

    def set_criticality(
        self, tx: Transaction, org_id: str, about: tuple[str, int], set_by: str
    ) -> None:
        """Store how critical a subject is, in hundredths."""
        subject, weight = about
        here = (criticalities.c.org_id == org_id, criticalities.c.subject == subject)
        values = {"weight": weight, "set_by": set_by, "set_at": tx.now}
        if tx.execute(criticalities.update().where(*here).values(**values)).rowcount == 0:
            row = {"org_id": org_id, "subject": subject, **values}
            tx.execute(criticalities.insert().values(**row))


def _same() -> sa.ColumnElement[bool]:
    return sa.and_(
        criticalities.c.org_id == risks.c.org_id, criticalities.c.subject == risks.c.subject
    )


def _weight(hundredths: int | None) -> float:
    return 1.0 if hundredths is None else hundredths / 100
