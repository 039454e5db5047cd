"""Which pages of counted decisions are in the database, and accounts by organisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024_decision_folds"
down_revision = "0027_seals"


def upgrade() -> None:
    """Create the table and the indexes."""
    op.create_table(
        "iam_decision_folds",
        sa.Column("book", sa.Text, primary_key=True),
        sa.Column("page", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_accounts_of_organisation", "iam_accounts", ["org_id", "id"])
