"""Tables of the register of systems, and of every version of what stands in it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata

systems: Final = Table(
    "audits_systems",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("live_name", Text),
    Column("level", Integer, nullable=False),
    Column("s_level", Integer, nullable=False),
    Column("a_level", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("filing_number", Text, nullable=False),
    Column("filed_at", BigInteger, nullable=False),
    Column("tested_at", BigInteger, nullable=False),
    Column("data_grade", Text, nullable=False),
    Column("extensions", Text, nullable=False),
    Column("uses", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("retired_at", BigInteger, nullable=False),
    Column("retired_reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("audits_systems_by_name", "org_id", "live_name", unique=True),
)
"""``live_name`` is null for a retired one, so that its name may be used again."""

assets: Final = Table(
    "audits_assets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("live_name", Text),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("importance", Integer, nullable=False),
    Column("department", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Column("data_grade", Text, nullable=False),
    Column("log_sources", Text, nullable=False),
    Column("retired_at", BigInteger, nullable=False),
    Column("retired_reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("audits_assets_by_name", "org_id", "system_id", "live_name", unique=True),
)

supplier_accesses: Final = Table(
    "audits_supplier_accesses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("audits_supplier_accesses_by_end", "org_id", "ends_at", "id"),
)

register_versions: Final = Table(
    "audits_register_versions",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("content", Text, nullable=False),
)
"""Systems, assets and supplier accesses as they stood in each version."""
