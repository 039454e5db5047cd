"""What people allow applications."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

consents: Final = sa.Table(
    "iam_consents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("granted_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
)
sa.Index(
    "iam_consents_standing",
    consents.c.account_id,
    consents.c.client_id,
    unique=True,
    sqlite_where=consents.c.ended_at.is_(None),
    postgresql_where=consents.c.ended_at.is_(None),
)
sa.Index("iam_consents_by_expiry", consents.c.expires_at)
