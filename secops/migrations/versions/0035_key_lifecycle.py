"""Keys that derive, rotate by themselves, were imported or wait to be destroyed; mounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035_key_lifecycle"
down_revision = "0033_key_backends"

_FLAG = sa.Boolean(create_constraint=False)
_FLAGS = ("derived", "convergent_encryption", "allow_plaintext_backup", "imported")
_NUMBERS = ("auto_rotate_period", "next_rotation_at", "destroy_at")


def upgrade() -> None:
    """Add what keys may be; those that stood before are none of it, as they were."""
    for name in _FLAGS:
        op.add_column("kms_keys", sa.Column(name, _FLAG, nullable=False, server_default=sa.false()))
    op.add_column(
        "kms_keys", sa.Column("allow_rotation", _FLAG, nullable=False, server_default=sa.true())
    )
    for name in _NUMBERS:
        column = sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
        op.add_column("kms_keys", column)
    op.create_index("kms_keys_by_rotation", "kms_keys", ["next_rotation_at"])
    op.create_index("kms_keys_by_destruction", "kms_keys", ["destroy_at"])
    op.create_table(
        "kms_mounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )
    op.create_index(
        "kms_mounts_by_path", "kms_mounts", ["org_id", "path", "retired_at"], unique=True
    )
    op.create_table(
        "kms_key_destructions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("mount", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("delay_days", sa.Integer, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "kms_key_destructions_by_time",
        "kms_key_destructions",
        ["org_id", "requested_at", "id"],
    )
    op.create_index("kms_key_grants_by_subject", "kms_key_grants", ["subject", "key_id"])


def downgrade() -> None:
    op.drop_index("kms_key_grants_by_subject", "kms_key_grants")
    op.drop_table("kms_key_destructions")
    op.drop_table("kms_mounts")
    op.drop_index("kms_keys_by_destruction", "kms_keys")
    op.drop_index("kms_keys_by_rotation", "kms_keys")
    for name in (*_NUMBERS, "allow_rotation", *_FLAGS):
        op.drop_column("kms_keys", name)
