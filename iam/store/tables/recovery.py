"""Recoveries that wait for their time, and accounts sealed for emergencies."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

recoveries: Final = sa.Table(
    "iam_recoveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("not_before", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("hastened_by", sa.Text),
    sa.Column("ended_at", sa.BigInteger),
)
sa.Index("iam_recoveries_of_account", recoveries.c.account_id, recoveries.c.state)

break_glass: Final = sa.Table(
    "iam_break_glass",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("sealed_at", sa.BigInteger, nullable=False),
    sa.Column("sealed_by", sa.Text, nullable=False),
    sa.Column("second", sa.LargeBinary),
    sa.Column("tested_at", sa.BigInteger),
    sa.Column("opened_at", sa.BigInteger),
    sa.Column("open_until", sa.BigInteger),
    sa.Column("reviewed_at", sa.BigInteger),
    sa.Column("reviewed_by", sa.Text),
)
