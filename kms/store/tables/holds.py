"""The table of holds. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from kms.store.tables.metadata import metadata

kms_holds: Final = Table(
    "kms_holds",
    metadata,
    Column("key", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("beyond", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("lifted_at", BigInteger),
    Index("kms_holds_of_subject", "kind", "subject"),
)
"""``key`` is the idempotency key of the order that set it."""
