"""What was declared and filed about incidents: it ends statutory clocks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040_filings"
down_revision = "0039_bulk_actions"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "playbooks_filings",
        sa.Column("incident_id", sa.Text, primary_key=True),
        sa.Column("duty", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("declared_by", sa.Text, nullable=False),
        sa.Column("declared_at", sa.BigInteger, nullable=False),
        sa.Column("filed_at", sa.BigInteger),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("filed_by", "filed_to", "reference")
        ),
    )
