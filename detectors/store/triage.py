"""Exceptions and suppressions in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
import sqlalchemy as sa

from detectors.models.triage import (
    ExceptionState,
    RuleException,
    SuppressedGroup,
    Suppression,
)
from detectors.store.alert_queries import NEXT_REVISION
from detectors.store.tables import (
    alert_subjects,
    alerts,
    exceptions,
    suppressed_groups,
    suppressions,
)
from secops.kernel.transactions import Transaction

_MOST: Final = 1_000
_SHOWN: Final = 200


class DatabaseExceptions:
    """Exceptions; every change of state is one conditional statement."""

    def add(self, tx: Transaction, exception: RuleException) -> None:
        """Store it."""
        tx.execute(exceptions.insert().values(**asdict(exception)))

    def get(self, tx: Transaction, org_id: str, exception_id: str) -> RuleException | None:
        """Return it, or None."""
        here = (exceptions.c.id == exception_id, exceptions.c.org_id == org_id)
        row = tx.execute(sa.select(exceptions).where(*here)).first()
        return None if row is None else _exception(row)

    def list(self, tx: Transaction, org_id: str) -> Sequence[RuleException]:
        """Return those of an organisation, the newest first."""
        query = sa.select(exceptions).where(exceptions.c.org_id == org_id)
        newest = query.order_by(exceptions.c.created_at.desc(), exceptions.c.id.desc())
        return [_exception(row) for row in tx.execute(newest.limit(_MOST))]

    def active(self, tx: Transaction) -> Sequence[RuleException]:
        """Return those that hold at the transaction's instant."""
        holds = (exceptions.c.state == "active", exceptions.c.expires_at > tx.now)
        query = sa.select(exceptions).where(*holds).order_by(exceptions.c.id)
        return [_exception(row) for row in tx.execute(query)]

    def move(
        self,
        tx: Transaction,
        exception_id: str,
        states: tuple[ExceptionState, ExceptionState],
        by: str,
    ) -> bool:
        """Change the state from the first to the second; False if it was another."""
        moved = tx.execute(
            exceptions.update()
            .where(exceptions.c.id == exception_id, exceptions.c.state == states[0])
            .values(state=states[1], decided_by=by, decided_at=tx.now)
        )
        return bool(moved.rowcount == 1)

    def note_hits(self, tx: Transaction, hits: Mapping[str, tuple[int, int]]) -> None:
        """Add (events taken away, newest event time) by exception."""
        for exception_id, (count, at) in hits.items():
            newest = sa.case((exceptions.c.last_hit_at > at, exceptions.c.last_hit_at), else_=at)
            tx.execute(
                exceptions.update()
                .where(exceptions.c.id == exception_id)
                .values(hits=exceptions.c.hits + count, last_hit_at=newest)
            )


class DatabaseSuppressions:
    """Suppressions, and the alerts that they keep quiet."""

    def add(self, tx: Transaction, suppression: Suppression) -> None:
        """Store it."""
        values = {**asdict(suppression), "by": orjson.dumps(suppression.by).decode()}
        tx.execute(suppressions.insert().values(**values))

    def get(self, tx: Transaction, org_id: str, suppression_id: str) -> Suppression | None:
        """Return it, or None."""
        here = (suppressions.c.id == suppression_id, suppressions.c.org_id == org_id)
        row = tx.execute(sa.select(suppressions).where(*here)).first()
        return None if row is None else _suppression(row)

    def list(self, tx: Transaction, org_id: str) -> Sequence[Suppression]:
        """Return those of an organisation, the newest first."""
        query = sa.select(suppressions).where(suppressions.c.org_id == org_id)
        newest = query.order_by(suppressions.c.created_at.desc(), suppressions.c.id.desc())
        return [_suppression(row) for row in tx.execute(newest.limit(_MOST))]

    def active(self, tx: Transaction) -> Sequence[Suppression]:
        """Return those that hold at the transaction's instant, the oldest first."""
        holds = (suppressions.c.state == "active", suppressions.c.expires_at > tx.now)
        query = sa.select(suppressions).where(*holds)
        oldest = query.order_by(suppressions.c.created_at, suppressions.c.id)
        return [_suppression(row) for row in tx.execute(oldest)]

    def lift(self, tx: Transaction, suppression_id: str, by: str) -> bool:
        """End it; False if it is ended."""
        done = tx.execute(
            suppressions.update()
            .where(suppressions.c.id == suppression_id, suppressions.c.state == "active")
            .values(state="lifted", lifted_by=by, lifted_at=tx.now)
        )
        return bool(done.rowcount == 1)

    def leader(
        self, tx: Transaction, suppression_id: str, key: str, window: tuple[int, int]
    ) -> SuppressedGroup | None:
        """Return the group whose leading alert began in ``window``, the oldest."""
        table = suppressed_groups
        query = (
            sa.select(table)
            .where(
                table.c.suppression_id == suppression_id,
                table.c.group_key == key,
                table.c.leader_at.between(*window),
            )
            .order_by(table.c.leader_at, table.c.leader)
            .limit(1)
        )
        row = tx.execute(query).first()
        return None if row is None else _group(row)

    def put_group(self, tx: Transaction, org_id: str, group: SuppressedGroup) -> None:
        """Store a group, or its new count and sample."""
        table = suppressed_groups
        here = (table.c.suppression_id == group.suppression_id, table.c.leader == group.leader)
        values = {**asdict(group), "sample": orjson.dumps(group.sample).decode(), "org_id": org_id}
        if tx.execute(table.update().where(*here).values(**values)).rowcount == 0:
            tx.execute(table.insert().values(**values))

    def groups(self, tx: Transaction, suppression_id: str) -> Sequence[SuppressedGroup]:
        """Return the groups, those with most quiet alerts first, at most 200."""
        table = suppressed_groups
        query = sa.select(table).where(table.c.suppression_id == suppression_id)
        most = query.order_by(table.c.count.desc(), table.c.leader_at, table.c.leader)
        return [_group(row) for row in tx.execute(most.limit(_SHOWN))]

    def hush(self, tx: Transaction, alert_id: str, suppression_id: str) -> None:
        """Note which suppression keeps an alert quiet."""
        tx.execute(
            alerts.update().where(alerts.c.id == alert_id).values(suppressed_by=suppression_id)
        )

    def wake(self, tx: Transaction, suppression_id: str, limit: int) -> Sequence[str]:
        """Open at most ``limit`` alerts that it kept quiet, the oldest first; return their ids."""
        quiet = (alerts.c.suppressed_by == suppression_id, alerts.c.status == "suppressed")
        oldest = sa.select(alerts.c.id).where(*quiet).order_by(alerts.c.first_at, alerts.c.id)
        ids = list(tx.execute(oldest.limit(limit)).scalars())
        if ids:
            values = {
                "status": "open",
                "version": alerts.c.version + 1,
                "revision": NEXT_REVISION,
                "reopened_at": tx.now,
            }
            tx.execute(alerts.update().where(alerts.c.id.in_(ids)).values(**values))
            mine = alert_subjects.c.alert_id.in_(ids)
            tx.execute(alert_subjects.update().where(mine).values(open=True))
        return ids


def _exception(row: Any) -> RuleException:
    return RuleException(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def _suppression(row: Any) -> Suppression:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return Suppression(**{**values, "by": tuple(orjson.loads(row.by))})


def _group(row: Any) -> SuppressedGroup:
    return SuppressedGroup(
        row.suppression_id,
        row.leader,
        row.group_key,
        row.leader_at,
        row.count,
        tuple(orjson.loads(row.sample)),
        row.last_at,
    )
