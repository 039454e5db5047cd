"""Passkeys, certificates, one-time codes, recovery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017_factors"
down_revision = "0016_upstream"


def upgrade() -> None:
    _create_passkeys()
    _create_certificates()
    op.add_column(
        "iam_totp", sa.Column("algorithm", sa.Text, nullable=False, server_default="sha1")
    )


def _create_passkeys() -> None:
    op.create_table(
        "iam_passkeys",
        sa.Column("credential_id", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("attested", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("synced", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("transports", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("suspended_at", sa.BigInteger),
    )
    op.create_index("iam_passkeys_of_account", "iam_passkeys", ["account_id"])


def _create_certificates() -> None:
    op.create_table(
        "iam_certificates",
        sa.Column("key_digest", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("token_held", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
    )
    op.create_index("iam_certificates_of_account", "iam_certificates", ["account_id"])


def downgrade() -> None:
    for table in ("iam_certificates", "iam_passkeys"):
        op.drop_table(table)
    op.drop_column("iam_totp", "algorithm")
