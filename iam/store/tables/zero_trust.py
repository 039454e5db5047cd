"""Policy versions, recorded decisions, locks and devices."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

_ACTIVE: Final = "state = 'active'"

policy_versions: Final = sa.Table(
    "iam_policy_versions",
    metadata,
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
sa.Index(
    "iam_policy_versions_one_active",
    policy_versions.c.org_id,
    unique=True,
    sqlite_where=sa.text(_ACTIVE),
    postgresql_where=sa.text(_ACTIVE),
)

decisions: Final = sa.Table(
    "iam_decisions",
    metadata,
    sa.Column("day", sa.Integer, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("allowed", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("first_at", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.BigInteger, nullable=False),
)

decision_folds: Final = sa.Table(
    "iam_decision_folds",
    metadata,
    sa.Column("book", sa.Text, primary_key=True),
    sa.Column("page", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
"""Up to which page a process's counted decisions are in ``iam_decisions``."""

locks: Final = sa.Table(
    "iam_locks",
    metadata,
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
    sa.Column("order_key", sa.Text, nullable=False, server_default=""),
)
sa.Index("iam_locks_of_subject", locks.c.kind, locks.c.subject)
sa.Index("iam_locks_by_end", locks.c.until)
sa.Index("iam_locks_of_order", locks.c.order_key)

registered_devices: Final = sa.Table(
    "iam_registered_devices",
    metadata,
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
sa.Index("iam_registered_devices_of_account", registered_devices.c.account_id)

device_sessions: Final = sa.Table(
    "iam_device_sessions",
    metadata,
    sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), primary_key=True),
    sa.Column("device_id", sa.Text, sa.ForeignKey("iam_registered_devices.id"), nullable=False),
    sa.Column("proved_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_device_sessions_of_device", device_sessions.c.device_id)
