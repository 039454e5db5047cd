"""Policies on graded data in log sources, and sealed originals of masked events."""

from __future__ import annotations

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


def downgrade() -> None:
    op.drop_table("detectors_originals")
    op.drop_table("detectors_source_policies")
