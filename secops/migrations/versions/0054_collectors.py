"""Collectors: bundles as imported, the newest facts of each asset."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054_collectors"
down_revision = "0053_rectification"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "audits_collector_bundles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("asset_id", sa.Text, nullable=False),
        sa.Column("asset_name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("collector", sa.Integer, nullable=False),
        sa.Column("collected_at", sa.BigInteger, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("as_root", sa.Boolean, nullable=False),
        sa.Column("sections", sa.Integer, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("unread", sa.Text, nullable=False),
    )
    op.create_index(
        "audits_collector_bundles_once",
        "audits_collector_bundles",
        ["org_id", "asset_id", "digest"],
        unique=True,
    )
    op.create_index(
        "audits_collector_bundles_by_time",
        "audits_collector_bundles",
        ["org_id", "imported_at", "id"],
    )
    op.create_index(
        "audits_collector_bundles_by_asset",
        "audits_collector_bundles",
        ["org_id", "asset_id", "collected_at"],
    )
    op.create_table(
        "audits_collector_facts",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("asset_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("bundle_id", sa.Text, nullable=False),
        sa.Column("collected_at", sa.BigInteger, nullable=False),
        sa.Column("collector", sa.Integer, nullable=False),
        sa.Column("sections", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    op.create_index(
        "audits_collector_facts_by_system",
        "audits_collector_facts",
        ["org_id", "system_id", "collected_at"],
    )
