"""The tables of the audits plane in the main database (the ledger's are apart)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

metadata: Final = MetaData()

assessment_entries: Final = Table(
    "assessment_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence_digest", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("assessment_entries_by_item", "org_id", "system_id", "item_id", "at"),
)
"""What named persons entered; a later entry replaces an earlier one, none is deleted."""

assessments: Final = Table(
    "assessments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("applicable", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Index("assessments_by_time", "org_id", "made_at"),
)
"""Assessments as made: ``document`` is the canonical JSON that a report renders."""
