"""Legal holds in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select, update

from audits.models.holds import LegalHold
from audits.store.rows import fields_of, newest_page
from audits.store.tables.holds import legal_holds
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class DatabaseHolds:
    """Implements ``audits.ports.LegalHolds``."""

    def add(self, tx: Transaction, hold: LegalHold) -> None:
        """Store a new hold."""
        tx.execute(legal_holds.insert().values(**asdict(hold)))

    def find(self, tx: Transaction, hold_id: str) -> LegalHold | None:
        """Return one hold."""
        row = tx.execute(select(legal_holds).where(legal_holds.c.id == hold_id)).first()
        return None if row is None else LegalHold(**fields_of(row))

    def lift(self, tx: Transaction, hold: LegalHold) -> bool:
        """Store how ``hold`` was lifted; False if somebody was quicker."""
        table = legal_holds
        changed = tx.execute(
            update(table)
            .where(table.c.id == hold.id, table.c.lifted_at == 0)
            .values(
                lifted_by=hold.lifted_by, lifted_at=hold.lifted_at, lift_reason=hold.lift_reason
            )
        )
        return bool(changed.rowcount)

    def in_force(self, tx: Transaction) -> Sequence[LegalHold]:
        """Return all holds that nobody lifted, oldest first."""
        table = legal_holds
        rows = tx.execute(
            select(table).where(table.c.lifted_at == 0).order_by(table.c.placed_at, table.c.id)
        )
        return [LegalHold(**fields_of(row)) for row in rows]

    def page(self, tx: Transaction, request: PageRequest) -> Page[LegalHold]:
        """Return holds, newest first."""
        columns = (legal_holds.c.placed_at, legal_holds.c.id)
        return newest_page(
            tx,
            select(legal_holds),
            columns,
            request,
            read=lambda row: LegalHold(**fields_of(row)),
        )
