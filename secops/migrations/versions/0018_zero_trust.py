"""Decisions, policy versions, locks, devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018_zero_trust"
down_revision = "0017_factors"

_ACTIVE = "state = 'active'"


def upgrade() -> None:
    _policies()
    _locks()
    _devices()


def _policies() -> None:
    op.create_table(
        "iam_policy_versions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("policies", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text),
        sa.Column("activated_at", sa.BigInteger),
        sa.Column("activated_by", sa.Text),
        sa.UniqueConstraint("org_id", "number", name="iam_policy_versions_once"),
    )
    op.create_index(
        "iam_policy_versions_one_active",
        "iam_policy_versions",
        ["org_id"],
        unique=True,
        sqlite_where=sa.text(_ACTIVE),
        postgresql_where=sa.text(_ACTIVE),
    )
    op.create_table(
        "iam_decisions",
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("allowed", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )


def _locks() -> None:
    op.create_table(
        "iam_locks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        sa.Column("ended", sa.Text, nullable=False),
        sa.Column("lift_approval", sa.Text),
        sa.Column("lifted_at", sa.BigInteger),
        sa.Column("lifted_by", sa.Text),
    )
    op.create_index("iam_locks_of_subject", "iam_locks", ["kind", "subject"])
    op.create_index("iam_locks_by_end", "iam_locks", ["until"])


def _devices() -> None:
    op.create_table(
        "iam_registered_devices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("thumbprint", sa.Text, nullable=False, unique=True),
        sa.Column("public_der", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("posture", sa.Text),
        sa.Column("posture_at", sa.BigInteger, nullable=False),
        sa.Column("reported_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("iam_registered_devices_of_account", "iam_registered_devices", ["account_id"])
    op.create_table(
        "iam_device_sessions",
        sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), primary_key=True),
        sa.Column("device_id", sa.Text, sa.ForeignKey("iam_registered_devices.id"), nullable=False),
        sa.Column("proved_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_device_sessions_of_device", "iam_device_sessions", ["device_id"])


def downgrade() -> None:
    for table in (
        "iam_device_sessions",
        "iam_registered_devices",
        "iam_locks",
        "iam_decisions",
        "iam_policy_versions",
    ):
        op.drop_table(table)
