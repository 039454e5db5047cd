"""The door of the units of work, as the sequencer reads it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from secops.adapters.database.tables import ledger_door
from secops.kernel.transactions import Transactions


class LedgerDoor:
    """Leaf records in commit order. Ids grow with the commits, so no late row lies behind."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def read_after(self, position: int, limit: int) -> tuple[Sequence[bytes], int]:
        """Return at most ``limit`` records after ``position``, and the position after them."""
        statement = (
            select(ledger_door.c.id, ledger_door.c.record)
            .where(ledger_door.c.id > position)
            .order_by(ledger_door.c.id)
            .limit(limit)
        )
        rows = self._transactions.read(lambda tx: tx.execute(statement).all())
        return [row.record for row in rows], rows[-1].id if rows else position

    def forget(self, position: int) -> None:
        """Delete the records up to ``position``; does not write when there are none."""
        if self.read_after(0, 1)[1] <= position:
            statement = delete(ledger_door).where(ledger_door.c.id <= position)
            self._transactions.run(lambda tx: tx.execute(statement))
