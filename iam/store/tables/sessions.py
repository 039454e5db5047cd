"""Sessions at the provider and its relying parties, and the risk of subjects."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

sessions: Final = sa.Table(
    "iam_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("auth_time", sa.BigInteger, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("amr", sa.Text, nullable=False),
    sa.Column("last_seen", sa.BigInteger, nullable=False),
    sa.Column("idle", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
)
sa.Index("iam_sessions_of_account", sessions.c.account_id, sessions.c.ended_at)

rp_sessions: Final = sa.Table(
    "iam_rp_sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("consent_id", sa.Text),
)

risks: Final = sa.Table(
    "iam_risks",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("risk", sa.Integer, nullable=False),
    sa.Column("event_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
