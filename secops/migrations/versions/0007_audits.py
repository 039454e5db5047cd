"""The tables of the audits plane."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007_audits"
down_revision = "0006_playbooks"


def upgrade() -> None:
    op.create_table(
        "assessment_entries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence_digest", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "assessment_entries_by_item",
        "assessment_entries",
        ["org_id", "system_id", "item_id", "at"],
    )
    op.create_table(
        "assessments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("judged", sa.Integer, nullable=False),
        sa.Column("applicable", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("assessments_by_time", "assessments", ["org_id", "made_at"])


def downgrade() -> None:
    op.drop_table("assessments")
    op.drop_table("assessment_entries")
