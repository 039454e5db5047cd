"""Policies on graded data, and sealed originals of masked events."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, Table, Text

from detectors.store.tables.schema import metadata

source_policies: Final = Table(
    "detectors_source_policies",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("grade", Text, nullable=False),
    Column("masked", Text, nullable=False),
    Column("keeps_originals", Boolean(create_constraint=False), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
)

originals: Final = Table(
    "detectors_originals",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("detectors_originals_by_time", "at"),
)
