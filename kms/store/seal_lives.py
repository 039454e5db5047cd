"""How seals begin at the province and end here, in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from kms.models.seal_registry import SealRecord
from kms.store.rows import fields_of
from kms.store.seals import RECORD_COLUMNS
from kms.store.tables.seals import kms_seal_applications, kms_seals
from secops.kernel.transactions import Transaction


class SqlSealLifeStore:
    """Changes of rows that ``SqlSealStore`` reads."""

    def set_remote_reference(
        self, transaction: Transaction, application_id: str, reference: str
    ) -> None:
        """Write down what the province calls the seal that was asked for."""
        table = kms_seal_applications
        statement = update(table).where(table.c.id == application_id)
        transaction.execute(statement.values(remote_reference=reference))

    def living_remote_seals(
        self, transaction: Transaction, after: str, limit: int
    ) -> Sequence[SealRecord]:
        """Return at most ``limit`` seals at the province, active or suspended, by identifier."""
        statement = select(*RECORD_COLUMNS).where(
            kms_seals.c.origin == "remote",
            kms_seals.c.state.in_(("active", "suspended")),
            kms_seals.c.id > after,
        )
        rows = transaction.execute(statement.order_by(kms_seals.c.id).limit(limit))
        return [SealRecord(**fields_of(row)) for row in rows]

    def ask_destruction(self, transaction: Transaction, seal_id: str, approval_id: str) -> None:
        """Write down which approval the seal's destruction waits for."""
        statement = update(kms_seals).where(kms_seals.c.id == seal_id)
        transaction.execute(statement.values(destroy_approval=approval_id))

    def mark_destroyed(self, transaction: Transaction, seal_id: str) -> bool:
        """Change revoked to destroyed, once; since when it was stopped stays as it was."""
        statement = (
            update(kms_seals)
            .where(kms_seals.c.id == seal_id, kms_seals.c.state == "revoked")
            .values(state="destroyed")
        )
        return bool(transaction.execute(statement).rowcount)
