"""The spine's tables. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata: Final = MetaData()

_serial: Final = BigInteger().with_variant(Integer, "sqlite")
"""An id that the database counts up; SQLite wants INTEGER for that."""

ledger_door: Final = Table(
    "ledger_door",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    # without it SQLite gives a deleted row's id again, and a reader's position would lie
    sqlite_autoincrement=True,
)
"""Leaf records that wait for the sequencer, in commit order."""

outbox_events: Final = Table(
    "outbox_events",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Index("outbox_events_by_name", "name", "id"),
    sqlite_autoincrement=True,
)
"""Announcements, in commit order."""

outbox_progress: Final = Table(
    "outbox_progress",
    metadata,
    Column("subscription", Text, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("retry_at", BigInteger, nullable=False),
)
"""How far each subscription has come; ``failures`` counts tries of the next event."""

revocation_epoch: Final = Table(
    "revocation_epoch",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)
"""One row, id 1."""

revocations: Final = Table(
    "revocations",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("identifier", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("revoked", Boolean(create_constraint=False), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("revocations_by_epoch", "epoch"),
)
"""The last word on each thing that was ever ended."""

emergency_progress: Final = Table(
    "emergency_progress",
    metadata,
    Column("file_id", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How much of each emergency journal has entered the ledger, in bytes."""

leases: Final = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
)

tasks: Final = Table(
    "tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("result", Text, nullable=False),
)

approvals: Final = Table(
    "approvals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("permission", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("approver_id", Text),
    Column("decided_at", BigInteger),
    Column("reason", Text, nullable=False),
    Index("approvals_waiting", "org_id", "state", "requested_at"),
)
