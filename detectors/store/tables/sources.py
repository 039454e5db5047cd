"""Registered log sources, and how each source fares."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Float, Table, Text

from detectors.store.tables.schema import metadata

log_sources: Final = Table(
    "detectors_log_sources",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("path", Text),
    Column("encoding", Text),
    Column("follow", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("owner", Text, nullable=False, server_default=""),
    Column("expected_silence", BigInteger),
    Column("peers", Text, nullable=False, server_default=""),
    Column("hosts", Text, nullable=False, server_default=""),
)

source_health: Final = Table(
    "detectors_source_health",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("last_at", BigInteger),
    Column("last_ingested", BigInteger),
    Column("rate", Float, nullable=False),
    Column("lag", Float, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("silent_since", BigInteger),
    Column("alert_id", Text),
)
