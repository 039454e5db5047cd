"""The table of templates that offices made."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata

report_templates: Final = Table(
    "audits_report_templates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger, nullable=False),
    Index("audits_report_templates_by_name", "org_id", "form", "name", "version", unique=True),
    Index("audits_report_templates_by_time", "org_id", "added_at", "id"),
)
"""Versions of templates; the bytes are blobs, which ``digest`` names."""
