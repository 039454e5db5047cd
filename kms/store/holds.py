"""Holds of keys and seals, in the table ``kms_holds``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, and_, select

from kms.models.holds import Hold, HoldKind
from kms.store.tables.holds import kms_holds
from secops.kernel.transactions import Transaction


class SqlHoldStore:
    """Implements ``kms.ports.holds.HoldStore``."""

    def add(self, transaction: Transaction, hold: Hold) -> None:
        """Store a new hold."""
        transaction.execute(kms_holds.insert().values(**asdict(hold)))

    def get(self, transaction: Transaction, key: str) -> Hold | None:
        """Return the hold that the order ``key`` set, lifted or not."""
        row = transaction.execute(select(kms_holds).where(kms_holds.c.key == key)).one_or_none()
        return None if row is None else Hold(**row._mapping)  # noqa: SLF001 - documented name

    def holding(self, transaction: Transaction, kind: HoldKind, subject: str) -> Sequence[Hold]:
        """Return the holds in force on a key or seal, by their orders."""
        wanted = select(kms_holds).where(_in_force(kind, subject)).order_by(kms_holds.c.key)
        rows = transaction.execute(wanted)
        return [Hold(**row._mapping) for row in rows]  # noqa: SLF001 - documented name

    def outlast(self, transaction: Transaction, kind: HoldKind, subject: str) -> bool:
        """Note on the holds in force that a person took it away, too; False if there are none."""
        statement = kms_holds.update().where(_in_force(kind, subject)).values(beyond=True)
        return bool(transaction.execute(statement).rowcount)

    def lift(self, transaction: Transaction, kind: HoldKind, subject: str, key: str = "") -> bool:
        """End the hold of the order ``key``, or all of the subject's; False if none was there."""
        statement = kms_holds.update().where(_in_force(kind, subject))
        if key:
            statement = statement.where(kms_holds.c.key == key)
        return bool(transaction.execute(statement.values(lifted_at=transaction.now)).rowcount)


def _in_force(kind: HoldKind, subject: str) -> ColumnElement[bool]:
    column = kms_holds.c
    return and_(column.kind == kind, column.subject == subject, column.lifted_at.is_(None))
