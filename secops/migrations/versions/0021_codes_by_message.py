"""Codes by message, notices to owners, recoveries with a delay, accounts for emergencies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021_codes_by_message"
down_revision = "0020_cas_scim"


def upgrade() -> None:
    """Create the tables."""
    _messages()
    op.create_table(
        "iam_recoveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("hastened_by", sa.Text),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("iam_recoveries_of_account", "iam_recoveries", ["account_id", "state"])
    op.create_table(
        "iam_break_glass",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("sealed_at", sa.BigInteger, nullable=False),
        sa.Column("sealed_by", sa.Text, nullable=False),
        sa.Column("second", sa.LargeBinary),
        sa.Column("tested_at", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("open_until", sa.BigInteger),
        sa.Column("reviewed_at", sa.BigInteger),
        sa.Column("reviewed_by", sa.Text),
    )


def _messages() -> None:
    op.create_table(
        "iam_message_addresses",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("sealed_address", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
    )
    op.create_table(
        "iam_message_codes",
        sa.Column("attempt", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("sealed_address", sa.LargeBinary),
    )
    op.create_index("iam_message_codes_by_expiry", "iam_message_codes", ["expires_at"])
    op.create_index("iam_message_codes_of_account", "iam_message_codes", ["account_id"])
    op.create_table(
        "iam_owner_notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("sealed_address", sa.LargeBinary, nullable=False),
        sa.Column("about", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.UniqueConstraint("kind", "subject_id", "account_id", "channel"),
    )
    op.create_index("iam_owner_notices_due", "iam_owner_notices", ["state", "next_at"])


def downgrade() -> None:
    """Drop them again."""
    for table in (
        "iam_break_glass",
        "iam_recoveries",
        "iam_owner_notices",
        "iam_message_codes",
        "iam_message_addresses",
    ):
        op.drop_table(table)
