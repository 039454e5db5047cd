"""The situation: the last one of each organisation, its figures by day; alerts by when raised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049_situation"
down_revision = "0048_notifications"


def upgrade() -> None:
    """Add the tables and the index."""
    op.create_table(
        "detectors_situations",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
    )
    op.create_table(
        "detectors_situation_days",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("day", sa.BigInteger, primary_key=True),
        sa.Column("figure", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_index("detectors_situation_days_by_day", "detectors_situation_days", ["day"])
    op.create_index(
        "detectors_alerts_by_raised", "detectors_alerts", ["org_id", "raised_at", "rule_id"]
    )
