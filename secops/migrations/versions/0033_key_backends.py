"""Key backends: where each key's private operations happen, and traces of objects in tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033_key_backends"
down_revision = "0032_single_uses"

_TABLES = ("kms_keys", "kms_key_versions")


def upgrade() -> None:
    """Add the columns; what stood before is software, as it was."""
    for table in _TABLES:
        column = sa.Column("backend", sa.Text, nullable=False, server_default="software")
        op.add_column(table, column)
    op.create_table(
        "kms_backends",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("draining", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("failure", sa.Text, nullable=False),
    )
    op.create_table(
        "kms_backend_slots",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("backend", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("slot", sa.Integer),
        sa.Column("fingerprint", sa.Text, nullable=False),
    )
    slots = "kms_backend_slots"
    op.create_index("kms_backend_slots_by_slot", slots, ["backend", "slot"], unique=True)
    op.create_index("kms_backend_slots_by_state", slots, ["state", "started_at"])
    op.create_index("kms_backend_slots_by_key", slots, ["key_id", "version"])


def downgrade() -> None:
    op.drop_table("kms_backend_slots")
    op.drop_table("kms_backends")
    for table in _TABLES:
        op.drop_column(table, "backend")
