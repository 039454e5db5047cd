"""Identity providers upstream and what they say of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016_upstream"
down_revision = "0015_provider"


def upgrade() -> None:
    """Create the tables of upstream providers, links and real-name levels."""
    op.create_table(
        "iam_upstreams",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_upstreams_of_organisation", "iam_upstreams", ["org_id", "state"])
    op.create_table(
        "iam_upstream_proposals",
        sa.Column("approval_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("upstream_id", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_upstream_links",
        sa.Column("upstream_id", sa.Text, primary_key=True),
        sa.Column("subject_key", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("sealed_subject", sa.LargeBinary, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.Column("checked_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("upstream_id", "account_id", name="iam_upstream_links_once"),
    )
    op.create_index("iam_upstream_links_by_check", "iam_upstream_links", ["checked_at"])
    op.create_table(
        "iam_real_name_levels",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("scheme", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop them again."""
    for table in (
        "iam_real_name_levels",
        "iam_upstream_links",
        "iam_upstream_proposals",
        "iam_upstreams",
    ):
        op.drop_table(table)
