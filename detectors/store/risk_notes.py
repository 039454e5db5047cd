"""What open alerts say of subjects, and the risk that was told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from detectors.models.triage import Hint
from detectors.store.pieces import pieces
from detectors.store.tables import alert_subjects, alerts, criticalities, risk_points, risks
from secops.kernel.transactions import Transaction

_MANY: Final = 500
_MAX_REASON: Final = 200


class RiskNotes:
    """Reads hints of risk and keeps the risk that was made of them, many subjects at once."""

    def hints_of(
        self, tx: Transaction, subjects: Sequence[str]
    ) -> Mapping[str, tuple[Sequence[Hint], float]]:
        """Return what open alerts say of each of ``subjects``, and how critical it is."""
        hints: dict[str, list[Hint]] = {subject: [] for subject in subjects}
        weights: dict[str, int] = {}
        mine, here = alert_subjects.c.subject, criticalities.c.subject
        columns = (mine, alert_subjects.c.risk, alerts.c.raised_at, alerts.c.last_at)
        said = sa.select(*columns).join(alerts, alerts.c.id == alert_subjects.c.alert_id)
        heavy = sa.select(here, sa.func.max(criticalities.c.weight).label("weight")).group_by(here)
        for some in pieces(list(hints), _MANY):
            for row in tx.execute(said.where(mine.in_(some), alert_subjects.c.open.is_(True))):
                at = max(row.raised_at, min(row.last_at, tx.now))
                hints[row.subject].append(Hint(row.risk, at))
            for row in tx.execute(heavy.where(here.in_(some))):
                weights[row.subject] = row.weight
        return {each: (found, weights.get(each, 100) / 100) for each, found in hints.items()}

    def note_risks(
        self, tx: Transaction, org_id: str, told: Mapping[str, tuple[int, str]]
    ) -> frozenset[str]:
        """Store what risk subjects now have and why, with a point of their history.

        Returns the subjects of which another risk was told before.
        """
        before = {
            row.subject: row.risk
            for some in pieces(list(told), _MANY)
            for row in tx.execute(
                sa.select(risks.c.subject, risks.c.risk).where(
                    risks.c.org_id == org_id, risks.c.subject.in_(some)
                )
            )
        }
        changed = {s: each for s, each in told.items() if before.get(s, 0) != each[0]}
        rows = [
            {"org_id": org_id, "subject": subject, "risk": risk, "at": tx.now}
            for subject, (risk, _) in changed.items()
        ]
        _replace(tx, risks, [row for row in rows if row["subject"] in before])
        _insert(tx, risks, [row for row in rows if row["subject"] not in before])
        point = (risk_points.c.org_id == org_id, risk_points.c.at == tx.now)
        for some in pieces(list(changed), _MANY):
            tx.execute(risk_points.delete().where(*point, risk_points.c.subject.in_(some)))
        reasons = ({"reason": why[:_MAX_REASON]} for _, why in changed.values())
        _insert(tx, risk_points, [{**row, **why} for row, why in zip(rows, reasons, strict=True)])
        return frozenset(changed)


def _insert(tx: Transaction, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        tx.execute(table.insert(), rows)


def _replace(tx: Transaction, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    here = (table.c[name] == sa.bindparam(f"its_{name}") for name in ("org_id", "subject"))
    new: dict[str, Any] = {name: sa.bindparam(f"its_{name}") for name in ("risk", "at")}
    statement = table.update().where(*here).values(new)
    tx.execute(statement, [{f"its_{name}": row[name] for name in row} for row in rows])
