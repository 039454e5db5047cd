"""Pushed requests, proofs, assertions, devices and logout notices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015_provider"
down_revision = "0014_stored_scans"

_OF_CLIENTS = (
    "auth_method",
    "assertion_alg",
    "jwks",
    "jwks_uri",
    "profile",
    "dpop_bound",
    "par_required",
    "level",
    "max_age",
    "back_channel_uri",
    "sector",
)


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "iam_pushed_requests",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("iam_pushed_requests_by_expiry", "iam_pushed_requests", ["expires_at"])
    _create_devices()
    _create_logouts()
    op.create_table(
        "iam_client_requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("requester_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def _add_columns() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("auth_method", sa.Text, nullable=False, server_default="client_secret"),
        sa.Column("assertion_alg", sa.Text),
        sa.Column("jwks", sa.Text),
        sa.Column("jwks_uri", sa.Text),
        sa.Column("profile", sa.Text, nullable=False, server_default="standard"),
        sa.Column(
            "dpop_bound",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
        sa.Column(
            "par_required",
            sa.Boolean(create_constraint=False),
            nullable=False,
            server_default=sa.false(),
        ),
        sa.Column("level", sa.Integer, nullable=False, server_default="1"),
        sa.Column("max_age", sa.BigInteger),
        sa.Column("back_channel_uri", sa.Text),
        sa.Column("sector", sa.Text),
    )
    for column in columns:
        op.add_column("iam_clients", column)
    op.execute("UPDATE iam_clients SET auth_method = 'none' WHERE secret_digest IS NULL")
    op.add_column("iam_codes", sa.Column("dpop_jkt", sa.Text))


def _create_devices() -> None:
    op.create_table(
        "iam_device_grants",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("user_code", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("pause", sa.BigInteger, nullable=False),
        sa.Column("polled_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("session_id", sa.Text),
    )
    op.create_index("iam_device_grants_by_expiry", "iam_device_grants", ["expires_at"])


def _create_logouts() -> None:
    op.create_table(
        "iam_session_clients",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_session_clients_by_expiry", "iam_session_clients", ["expires_at"])
    op.create_table(
        "iam_logout_notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.UniqueConstraint("session_id", "client_id", name="iam_logout_notices_once"),
    )
    op.create_index("iam_logout_notices_due", "iam_logout_notices", ["state", "next_at"])


def downgrade() -> None:
    for table in (
        "iam_client_requests",
        "iam_logout_notices",
        "iam_session_clients",
        "iam_device_grants",
        "iam_pushed_requests",
    ):
        op.drop_table(table)
    op.drop_column("iam_codes", "dpop_jkt")
    for name in reversed(_OF_CLIENTS):
        op.drop_column("iam_clients", name)
