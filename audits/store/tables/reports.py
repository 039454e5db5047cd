"""The table of what was exported."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, Text

from audits.store.tables.schema import metadata

report_exports: Final = Table(
    "audits_report_exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("assessment_id", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("sm3", Text, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("exported_by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("partners", Text, nullable=False),
    Index("audits_report_exports_by_org", "org_id", "id"),
)
"""Reports and archives that left; the files themselves are not kept."""
