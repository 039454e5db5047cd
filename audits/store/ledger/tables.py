"""The ledger's tables: in a file of their own with SQLite, in the database with PostgreSQL.

They are not in ``store.tables``, for they must be readable when the main database is not
(docs/decisions/0003-ledger-file.md). Hashes are 32 bytes, times UTC microseconds.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData()

FILE_VERSION: Final = 1
"""``PRAGMA user_version`` of the ledger file; a greater one is refused."""

ledger_head: Final = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
)
"""One row, id 1. Every write moves it by one conditional UPDATE."""

ledger_entries: Final = Table(
    "ledger_entries",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("record", LargeBinary, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sm3", LargeBinary, nullable=False),
    Index("ledger_entries_by_leaf", "sha256"),
)
"""The leaves. The record is the evidence, with its organisation inside."""

ledger_rows: Final = Table(
    "ledger_rows",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("request_id", Text),
    Index("ledger_rows_by_action", "action", "entry"),
    Index("ledger_rows_by_actor", "actor_id", "entry"),
    Index("ledger_rows_by_target", "target", "entry"),
)
"""A projection of the records for lists and searches; it can be made anew from them."""

ledger_subtrees: Final = Table(
    "ledger_subtrees",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("sm3", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Complete subtrees of level ≥ 1 of both trees."""

ledger_checkpoints: Final = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("sha256_root", LargeBinary, nullable=False),
    Column("sm3_root", LargeBinary, nullable=False),
    Column("sha256_note", Text, nullable=False),
    Column("sm3_note", Text, nullable=False),
)

ledger_positions: Final = Table(
    "ledger_positions",
    metadata,
    Column("door", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
)
"""How far each door has been read; written in one transaction with the leaves."""

ledger_keys: Final = Table(
    "ledger_keys",
    metadata,
    Column("vkey", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
)
"""Verification keys that ever signed, and the size at which each began."""
