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
    sa.Column("algorithm", sa.Text, nullable=False, server_default="sha1"),
)

recovery_codes: Final = sa.Table(
    "iam_recovery_codes",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)

passkeys: Final = sa.Table(
    "iam_passkeys",
    metadata,
    sa.Column("credential_id", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("attested", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("synced", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("transports", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_used_at", sa.BigInteger),
    sa.Column("suspended_at", sa.BigInteger),
)
sa.Index("iam_passkeys_of_account", passkeys.c.account_id)

certificates: Final = sa.Table(
    "iam_certificates",
    metadata,
    sa.Column("key_digest", sa.LargeBinary, primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("serial", sa.Text, nullable=False),
    sa.Column("not_after", sa.BigInteger, nullable=False),
    sa.Column("token_held", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("last_used_at", sa.BigInteger),
)
sa.Index("iam_certificates_of_account", certificates.c.account_id)

lockouts: Final = sa.Table(
    "iam_lockouts",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("k", sa.LargeBinary, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
)
