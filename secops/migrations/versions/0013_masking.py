"""Policies on graded data in log sources, and sealed originals of masked events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013_masking"
down_revision = "0012_rule_folders"


def upgrade() -> None:
    op.create_table(
        "detectors_source_policies",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("masked", sa.Text, nullable=False),
        sa.Column("keeps_originals", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
    )
    op.create_table(
        "detectors_originals",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("detectors_originals_by_time", "detectors_originals", ["at"])
    _move_policies()


def _move_policies() -> None:
    """Make policies of what sources said of their data; what was masked stays masked."""
    op.execute(
        """
        INSERT INTO detectors_source_policies
            (org_id, source, grade, masked, keeps_originals, changed_at, changed_by)
        SELECT org_id, name,
            CASE data_class WHEN 'public' THEN '1' WHEN 'internal' THEN '2' ELSE '3' END,
            CASE WHEN masks THEN '["cn_id_card","cn_mobile"]' ELSE '[]' END,
            FALSE, created_at, created_by
        FROM detectors_log_sources
        """
    )
    op.drop_column("detectors_log_sources", "masks")
    op.drop_column("detectors_log_sources", "data_class")


def downgrade() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("data_class", sa.Text, nullable=False, server_default="internal"),
        sa.Column("masks", sa.Boolean(create_constraint=False), nullable=False, server_default="0"),
    )
    for column in columns:
        op.add_column("detectors_log_sources", column)
    op.drop_table("detectors_originals")
    op.drop_table("detectors_source_policies")
