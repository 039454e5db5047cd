"""The table of evidence records; the documents themselves lie among the blobs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata

records: Final = Table(
    "audits_records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("evidence_kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("items", Text, nullable=False),
    Column("held_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("uploaded_by", Text, nullable=False),
    Column("uploaded_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger, nullable=False),
    Column("withdrawn_reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("audits_records_by_time", "org_id", "uploaded_at", "id"),
    Index("audits_records_by_document", "org_id", "sha256"),
)
"""A record is never changed: a wrong one is withdrawn, and stays to be read."""
