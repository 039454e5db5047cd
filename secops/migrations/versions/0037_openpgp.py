"""OpenPGP keys of organisations and the partners to whom exports are encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037_openpgp"
down_revision = "0030_certificates"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    """Both tables begin empty."""
    op.create_table(
        "kms_openpgp_keys",
        sa.Column("id", sa.Text, primary_key=True),
        *map(_text, ("org_id", "fingerprint", "user_id", "algorithm", "public_key")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        _text("state"),
    )
    op.create_index("kms_openpgp_keys_by_time", "kms_openpgp_keys", ["org_id", "created_at", "id"])
    op.create_table(
        "kms_openpgp_partners",
        sa.Column("id", sa.Text, primary_key=True),
        *map(_text, ("org_id", "name", "fingerprint", "user_id", "algorithm", "public_key")),
        sa.Column("expires_at", sa.BigInteger),
        *map(_text, ("reason", "approval_id")),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        _text("state"),
    )
    op.create_index(
        "kms_openpgp_partners_by_time", "kms_openpgp_partners", ["org_id", "requested_at", "id"]
    )
    op.create_index("kms_openpgp_partners_by_name", "kms_openpgp_partners", ["org_id", "name"])


def downgrade() -> None:
    op.drop_table("kms_openpgp_partners")
    op.drop_table("kms_openpgp_keys")
