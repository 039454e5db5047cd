"""The ledger store over SQLite (a file of its own) or PostgreSQL.

It has transactions of its own, for the kernel's units of work write *into* the ledger: one
that waited for them could wait for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from audits.errors import LeaseLost, LedgerDamaged, LedgerMissing
from audits.models import Addition, Checkpoint, EntryRow
from audits.store.ledger.reader import LedgerDatabaseReader, translated
from audits.store.ledger.tables import (
    FILE_VERSION,
    ledger_checkpoints,
    ledger_entries,
    ledger_head,
    ledger_keys,
    ledger_positions,
    ledger_rows,
    ledger_subtrees,
    metadata,
)
from secops.adapters.database.engine import make_engine
from secops.adapters.disk import make_folder

FILE_NAME: Final = "ledger.db"
_DROPPED_AT_A_TIME: Final = 500


def ledger_folder(home: Path) -> Path:
    """Return where a home keeps its ledger's files."""
    return home / "ledger"


def ledger_url(home: Path, database_url: str | None) -> str:
    """Return where the ledger lies: beside the main PostgreSQL tables, else in its own file."""
    if database_url is not None and database_url.startswith("postgresql"):
        return database_url
    return f"sqlite:///{ledger_folder(home) / FILE_NAME}"


def open_ledger_reader(home: Path, database_url: str | None = None) -> LedgerDatabaseReader:
    """Open an existing ledger for reading; raise ``LedgerMissing`` if there is none."""
    url = ledger_url(home, database_url)
    if url.startswith("sqlite") and not (ledger_folder(home) / FILE_NAME).is_file():
        msg = f"there is no {ledger_folder(home) / FILE_NAME}"
        raise LedgerMissing(msg)
    return LedgerDatabaseReader(make_engine(url, read_only=True))


def open_ledger_store(home: Path, database_url: str | None, new_origin: str) -> LedgerDatabase:
    """Open the ledger, or make an empty one called ``new_origin``.

    Raises ``LedgerDamaged`` if it has entries but no head, or was made by a newer version.
    """
    url = ledger_url(home, database_url)
    if url.startswith("sqlite"):
        make_folder(ledger_folder(home))
    writer = make_engine(url)
    with translated(), writer.begin() as connection:
        if writer.dialect.name == "sqlite":
            _make_file_tables(connection)
        _make_head(connection, new_origin)
    return LedgerDatabase(writer, make_engine(url, read_only=True))


def _make_file_tables(connection: Connection) -> None:
    version = connection.execute(text("PRAGMA user_version")).scalar_one()
    if version > FILE_VERSION:
        msg = f"the ledger file has version {version}; this program knows {FILE_VERSION}"
        raise LedgerDamaged(msg)
    metadata.create_all(connection)
    connection.execute(text(f"PRAGMA user_version = {FILE_VERSION}"))


def _make_head(connection: Connection, origin: str) -> None:
    if connection.execute(select(ledger_head.c.id)).first() is not None:
        return
    if connection.execute(select(ledger_entries.c.entry).limit(1)).first() is not None:
        msg = "the ledger has entries but no head"
        raise LedgerDamaged(msg)
    connection.execute(insert(ledger_head).values(id=1, origin=origin, size=0, fence=0))


class LedgerDatabase(LedgerDatabaseReader):
    """Reads and extends a ledger; implements ``audits.ports.LedgerStore``."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        super().__init__(reader)
        self._writer = writer

    def append(self, addition: Addition, fence: int) -> None:
        """Store ``addition`` in one transaction, or nothing; raise ``LeaseLost``."""
        size = addition.first_index + len(addition.entries)
        with translated(), self._writer.begin() as connection:
            _move_head(connection, addition.first_index, size, fence)
            if addition.entries:
                connection.execute(insert(ledger_entries), _entry_values(addition))
                connection.execute(insert(ledger_rows), _row_values(addition.rows))
            if addition.subtrees:
                connection.execute(insert(ledger_subtrees), _subtree_values(addition))
            _move_positions(connection, addition.positions, size)

    def save_checkpoint(self, checkpoint: Checkpoint, vkeys: Sequence[str], fence: int) -> None:
        """Store ``checkpoint`` and its keys; raise ``LeaseLost`` if another sequences."""
        with translated(), self._writer.begin() as connection:
            _move_head(connection, checkpoint.size, checkpoint.size, fence)
            known = set(connection.execute(select(ledger_keys.c.vkey)).scalars())
            new = [{"vkey": vkey, "since": checkpoint.size} for vkey in vkeys if vkey not in known]
            if new:
                connection.execute(insert(ledger_keys), new)
            connection.execute(
                insert(ledger_checkpoints).values(
                    size=checkpoint.size,
                    at=checkpoint.at,
                    sha256_root=checkpoint.sha256_root,
                    sm3_root=checkpoint.sm3_root,
                    sha256_note=checkpoint.sha256_note,
                    sm3_note=checkpoint.sm3_note,
                )
            )

    def drop_checkpoints(self, sizes: Sequence[int]) -> None:
        """Drop the checkpoints of these sizes."""
        table = ledger_checkpoints
        with translated(), self._writer.begin() as connection:
            for first in range(0, len(sizes), _DROPPED_AT_A_TIME):
                chosen = sizes[first : first + _DROPPED_AT_A_TIME]
                connection.execute(delete(table).where(table.c.size.in_(chosen)))

    def forget_door(self, door: str) -> None:
        """Drop the position of a door that is gone for good."""
        with translated(), self._writer.begin() as connection:
            connection.execute(delete(ledger_positions).where(ledger_positions.c.door == door))

    def replace_rows(self, rows: Sequence[EntryRow]) -> None:
        """Store the projection of some entries anew."""
        if not rows:
            return
        first, last = rows[0].index, rows[-1].index
        with translated(), self._writer.begin() as connection:
            connection.execute(delete(ledger_rows).where(ledger_rows.c.entry.between(first, last)))
            connection.execute(insert(ledger_rows), _row_values(rows))

    def drop_rows_from(self, index: int) -> None:
        """Drop rows of entries that do not exist."""
        with translated(), self._writer.begin() as connection:
            connection.execute(delete(ledger_rows).where(ledger_rows.c.entry >= index))

    def close(self) -> None:
        """Give the connections back."""
        super().close()
        self._writer.dispose()


def _move_head(connection: Connection, old: int, new: int, fence: int) -> None:
    """Move the size from ``old`` to ``new`` if nobody with a greater fence has written."""
    moved = connection.execute(
        update(ledger_head)
        .where(ledger_head.c.id == 1, ledger_head.c.size == old, ledger_head.c.fence <= fence)
        .values(size=new, fence=fence)
    )
    if moved.rowcount != 1:
        msg = f"the ledger is no longer at size {old} under fence {fence}"
        raise LeaseLost(msg)


def _move_positions(connection: Connection, positions: Mapping[str, int], size: int) -> None:
    for door, position in positions.items():
        moved = connection.execute(
            update(ledger_positions)
            .where(ledger_positions.c.door == door)
            .values(position=position, size=size)
        )
        if not moved.rowcount:
            connection.execute(
                insert(ledger_positions).values(door=door, position=position, size=size)
            )


def _entry_values(addition: Addition) -> list[dict[str, Any]]:
    return [
        {"entry": one.index, "record": one.record, "sha256": one.sha256, "sm3": one.sm3}
        for one in addition.entries
    ]


def _subtree_values(addition: Addition) -> list[dict[str, Any]]:
    return [
        {"level": one.level, "position": one.index, "sha256": one.sha256, "sm3": one.sm3}
        for one in addition.subtrees
    ]


def _row_values(rows: Sequence[EntryRow]) -> list[dict[str, Any]]:
    return [
        {
            "entry": row.index,
            "at": row.at,
            "action": row.action,
            "actor_id": row.actor_id,
            "org_id": row.org_id,
            "target": row.target,
            "outcome": row.outcome,
            "request_id": row.request_id,
        }
        for row in rows
    ]
