"""Applications, codes, refresh families and everything used once."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

clients: Final = sa.Table(
    "iam_clients",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("redirect_uris", sa.Text, nullable=False),
    sa.Column("logout_uris", sa.Text, nullable=False),
    sa.Column("grants", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("audiences", sa.Text, nullable=False),
    sa.Column("secret_digest", sa.LargeBinary),
    sa.Column("first_party", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("disabled_at", sa.BigInteger),
)

codes: Final = sa.Table(
    "iam_codes",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
    sa.Column("token_id", sa.Text),
    sa.Column("family", sa.LargeBinary),
)
sa.Index("iam_codes_by_expiry", codes.c.expires_at)

families: Final = sa.Table(
    "iam_refresh_families",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("gen", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rotated_at", sa.BigInteger, nullable=False),
    sa.Column("idle", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_refresh_families_of_session", families.c.session_id)

used: Final = sa.Table(
    "iam_used",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("k", sa.LargeBinary, primary_key=True),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_used_by_expiry", used.c.expires_at)
