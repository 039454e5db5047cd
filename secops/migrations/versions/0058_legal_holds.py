"""Legal holds: days of logs that retention leaves alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058_legal_holds"
down_revision = "0056_report_exports"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("placed_by", sa.Text, nullable=False),
        sa.Column("placed_at", sa.BigInteger, nullable=False),
        sa.Column("lifted_by", sa.Text, nullable=False),
        sa.Column("lifted_at", sa.BigInteger, nullable=False),
        sa.Column("lift_reason", sa.Text, nullable=False),
    )
    op.create_index("legal_holds_in_force", "legal_holds", ["lifted_at", "placed_at"])
