"""What people allow applications, and which applications ask them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023_consents"
down_revision = "0022_token_algorithm"


def upgrade() -> None:
    """Create consents; applications that stood before ask nobody, as they did."""
    op.create_table(
        "iam_consents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index(
        "iam_consents_standing",
        "iam_consents",
        ["account_id", "client_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("iam_consents_by_expiry", "iam_consents", ["expires_at"])
    op.add_column(
        "iam_clients", sa.Column("consent", sa.Text, nullable=False, server_default="none")
    )
    op.add_column("iam_rp_sessions", sa.Column("consent_id", sa.Text))
