"""Reports and archives that were exported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056_report_exports"
down_revision = "0054_collectors"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "audits_report_exports",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("assessment_id", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("sm3", sa.Text, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("exported_by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("partners", sa.Text, nullable=False),
    )
    op.create_index("audits_report_exports_by_org", "audits_report_exports", ["org_id", "id"])
