"""Counters of failures."""

from __future__ import annotations

import sqlalchemy as sa

from iam.models.credentials import Attempts
from iam.store.tables import lockouts
from secops.kernel.transactions import Transaction


class Lockouts:
    """Counters in the table ``iam_lockouts``; keys are keyed hashes."""

    def read(self, tx: Transaction, kind: str, key: bytes) -> Attempts:
        """Return the counter, zero if there is none."""
        row = tx.execute(
            sa.select(lockouts).where(lockouts.c.kind == kind, lockouts.c.k == key)
        ).first()
        if row is None:
            return Attempts(failures=0, since=0, until=0)
        return Attempts(failures=row.failures, since=row.since, until=row.until)

    def write(self, tx: Transaction, kind: str, key: bytes, attempts: Attempts) -> None:
        """Store the counter."""
        values = {
            "failures": attempts.failures,
            "since": attempts.since,
            "until": attempts.until,
        }
        changed = tx.execute(
            lockouts.update().where(lockouts.c.kind == kind, lockouts.c.k == key).values(values)
        )
        if changed.rowcount == 0:
            tx.execute(lockouts.insert().values(kind=kind, k=key, **values))

    def clear(self, tx: Transaction, kind: str, key: bytes) -> None:
        """Forget the counter."""
        tx.execute(lockouts.delete().where(lockouts.c.kind == kind, lockouts.c.k == key))

    def locked(self, tx: Transaction, kind: str) -> int:
        """Return how many of ``kind`` refuse now."""
        query = sa.select(sa.func.count()).where(lockouts.c.kind == kind, lockouts.c.until > tx.now)
        return int(tx.execute(query).scalar_one())
