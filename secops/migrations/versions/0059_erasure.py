"""Accounts whose person was erased: when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059_erasure"
down_revision = "0055_report_templates"


def upgrade() -> None:
    """Add the column."""
    op.add_column("iam_accounts", sa.Column("erased_at", sa.BigInteger))
