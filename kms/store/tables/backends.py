"""Tables of key backends. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from kms.store.tables.metadata import metadata

kms_backends: Final = Table(
    "kms_backends",
    metadata,
    Column("name", Text, primary_key=True),
    Column("draining", Boolean(create_constraint=False), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("checked_at", BigInteger),
    Column("failure", Text, nullable=False),
)
"""What all processes know of the configured backends; no organisation owns one."""

kms_backend_slots: Final = Table(
    "kms_backend_slots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("backend", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("slot", Integer),
    Column("fingerprint", Text, nullable=False),
    Index("kms_backend_slots_by_slot", "backend", "slot", unique=True),
    Index("kms_backend_slots_by_state", "state", "started_at"),
    Index("kms_backend_slots_by_key", "key_id", "version"),
)
"""The trace of every object in a token or machine, written before the object is made."""
