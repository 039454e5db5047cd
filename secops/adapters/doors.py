"""Both doors of the ledger as the sequencer sees them: names, records, positions.

Read the journals first and ``DATABASE`` last, and put the database's records first: what
the emergency journal brought into the ledger then stands before what was granted after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from secops.adapters.database.tables import ledger_door
from secops.adapters.journal.reader import JournalReader
from secops.kernel.transactions import Transactions

DATABASE: Final = "database"


@dataclass(frozen=True, slots=True)
class DoorRecords:
    """Records after a position, the position after them, and whether the door is closed."""

    records: Sequence[bytes]
    position: int
    finished: bool = False


class LedgerDoors:
    """The table of units of work, and each process's journals."""

    def __init__(self, transactions: Transactions, journals: JournalReader) -> None:
        self._transactions = transactions
        self._journals = journals

    def names(self) -> Sequence[str]:
        """Return the doors that exist now: journals, then the database."""
        return (*self._journals.processes(), DATABASE)

    def read_after(self, door: str, position: int, limit: int) -> DoorRecords:
        """Return at most ``limit`` durable records after ``position`` (0: the beginning).

        Raises ``JournalDamaged`` if acknowledged records can't be read back.
        """
        if door != DATABASE:
            found = self._journals.read(door, position, limit)
            return DoorRecords(found.records, found.next_position, found.finished)
        statement = (
            select(ledger_door.c.id, ledger_door.c.record)
            .where(ledger_door.c.id > position)
            .order_by(ledger_door.c.id)
            .limit(limit)
        )
        rows = self._transactions.read(lambda tx: tx.execute(statement).all())
        return DoorRecords([row.record for row in rows], rows[-1].id if rows else position)

    def forget(self, door: str, position: int) -> bool:
        """Drop what stands up to ``position``; True if the door itself is gone for good."""
        if door != DATABASE:
            return self._journals.discard(door, position)
        old = ledger_door.delete().where(ledger_door.c.id <= position)
        self._transactions.run(lambda tx: tx.execute(old))
        return False
