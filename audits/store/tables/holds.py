"""The table of legal holds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, Text

from audits.store.tables.schema import metadata

legal_holds: Final = Table(
    "legal_holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("lifted_by", Text, nullable=False),
    Column("lifted_at", BigInteger, nullable=False),
    Column("lift_reason", Text, nullable=False),
    Index("legal_holds_in_force", "lifted_at", "placed_at"),
)
"""A hold is never deleted; ``lifted_at`` 0 is in force."""
