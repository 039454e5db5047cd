"""Limits of keys, quotas and counters of organisations, self-tests of the engines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034_limits"
down_revision = "0037_openpgp"


def upgrade() -> None:
    """Make the tables; keys that were there have no limits, organisations no quota."""
    limits = sa.Column("limits_version", sa.Integer, nullable=False, server_default="0")
    op.add_column("kms_keys", limits)
    op.create_table(
        "kms_key_limits",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("max_uses", sa.BigInteger, nullable=True),
        sa.Column("clients", sa.Text, nullable=False),
        sa.Column("max_risk", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kms_quotas",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("keys", sa.BigInteger, nullable=True),
        sa.Column("versions", sa.BigInteger, nullable=True),
        sa.Column("daily_operations", sa.BigInteger, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kms_use_counters",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("period", sa.BigInteger, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("leased", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kms_self_tests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("process", sa.Text, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("defects", sa.Text, nullable=False),
    )
    op.create_index("kms_self_tests_by_time", "kms_self_tests", ["at", "id"])


def downgrade() -> None:
    op.drop_index("kms_self_tests_by_time", "kms_self_tests")
    for table in ("kms_self_tests", "kms_use_counters", "kms_quotas", "kms_key_limits"):
        op.drop_table(table)
    op.drop_column("kms_keys", "limits_version")
