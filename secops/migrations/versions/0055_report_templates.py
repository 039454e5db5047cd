"""Templates of reports that offices made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055_report_templates"
down_revision = "0058_legal_holds"

_TABLE = "audits_report_templates"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("added_by", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger, nullable=False),
    )
    named = ["org_id", "form", "name", "version"]
    op.create_index(f"{_TABLE}_by_name", _TABLE, named, unique=True)
    op.create_index(f"{_TABLE}_by_time", _TABLE, ["org_id", "added_at", "id"])
