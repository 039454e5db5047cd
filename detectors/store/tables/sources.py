"""Registered log sources."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from detectors.store.tables.schema import metadata

log_sources: Final = Table(
    "detectors_log_sources",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("data_class", Text, nullable=False),
    Column("path", Text),
    Column("encoding", Text),
    Column("follow", Boolean(create_constraint=False), nullable=False),
    Column("masks", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)
