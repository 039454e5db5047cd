"""Tables of collectors."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata

collector_bundles: Final = Table(
    "audits_collector_bundles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("asset_id", Text, nullable=False),
    Column("asset_name", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("collector", Integer, nullable=False),
    Column("collected_at", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("as_root", Boolean, nullable=False),
    Column("sections", Integer, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("unread", Text, nullable=False),
    Index("audits_collector_bundles_once", "org_id", "asset_id", "digest", unique=True),
    Index("audits_collector_bundles_by_time", "org_id", "imported_at", "id"),
    Index("audits_collector_bundles_by_asset", "org_id", "asset_id", "collected_at"),
)
"""Bundles as imported, never changed; ``digest`` names the raw bytes among the blobs."""

collector_facts: Final = Table(
    "audits_collector_facts",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("asset_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("system_id", Text, nullable=False),
    Column("bundle_id", Text, nullable=False),
    Column("collected_at", BigInteger, nullable=False),
    Column("collector", Integer, nullable=False),
    Column("sections", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("audits_collector_facts_by_system", "org_id", "system_id", "collected_at"),
)
"""The newest facts of each kind about each asset; older ones stay among the blobs."""
