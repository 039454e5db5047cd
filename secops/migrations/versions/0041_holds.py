"""Playbooks' orders take back only what they took: locks name their order, holds of keys too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041_holds"
down_revision = "0040_filings"


def upgrade() -> None:
    """Add the column and the table."""
    op.add_column("iam_locks", sa.Column("order_key", sa.Text, nullable=False, server_default=""))
    op.create_index("iam_locks_of_order", "iam_locks", ["order_key"])
    op.create_table(
        "kms_holds",
        sa.Column("key", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("org_id", "kind", "subject")),
        sa.Column("beyond", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_index("kms_holds_of_subject", "kms_holds", ["kind", "subject"])
