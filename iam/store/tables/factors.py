"""What people prove themselves with, and failures counted."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

passwords: Final = sa.Table(
    "iam_passwords",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("set_at", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
)

totp: Final = sa.Table(
    "iam_totp",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("last_step", sa.BigInteger, nullable=False),
)

recovery_codes: Final = sa.Table(
    "iam_recovery_codes",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)

lockouts: Final = sa.Table(
    "iam_lockouts",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("k", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)
