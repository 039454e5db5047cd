"""Enrolments, each usable once."""

from __future__ import annotations

import sqlalchemy as sa

from iam.models.accounts import Enrolment
from iam.store.tables import enrolments
from secops.kernel.transactions import Transaction


class Enrolments:
    """Enrolments in the table ``iam_enrolments``."""

    def add(self, tx: Transaction, enrolment: Enrolment) -> None:
        """Store it; earlier ones of the same account end."""
        tx.execute(enrolments.delete().where(enrolments.c.account_id == enrolment.account_id))
        tx.execute(
            enrolments.insert().values(
                digest=enrolment.digest,
                org_id=enrolment.org_id,
                account_id=enrolment.account_id,
                expires_at=enrolment.expires_at,
            )
        )

    def find(self, tx: Transaction, digest: bytes) -> Enrolment | None:
        """Return it if it can still be used."""
        row = tx.execute(
            sa.select(enrolments).where(
                enrolments.c.digest == digest,
                enrolments.c.used_at.is_(None),
                enrolments.c.expires_at > tx.now,
            )
        ).first()
        if row is None:
            return None
        return Enrolment(bytes(row.digest), row.org_id, row.account_id, row.expires_at)

    def use(self, tx: Transaction, digest: bytes) -> bool:
        """Consume it: True once."""
        used = tx.execute(
            enrolments.update()
            .where(
                enrolments.c.digest == digest,
                enrolments.c.used_at.is_(None),
                enrolments.c.expires_at > tx.now,
            )
            .values(used_at=tx.now)
        )
        return bool(used.rowcount == 1)
