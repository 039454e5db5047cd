"""Applications, what they were given, devices, logout notices and what is used once."""

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
    sa.Column("auth_method", sa.Text, nullable=False),
    sa.Column("assertion_alg", sa.Text),
    sa.Column("jwks", sa.Text),
    sa.Column("jwks_uri", sa.Text),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("dpop_bound", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("par_required", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("max_age", sa.BigInteger),
    sa.Column("back_channel_uri", sa.Text),
    sa.Column("sector", sa.Text),
    sa.Column("consent", sa.Text, nullable=False, server_default="none"),
    sa.Column("token_alg", sa.Text, nullable=False, server_default="ES256"),
    sa.Column("real_name_level", sa.Text, nullable=False, server_default="none"),
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
    sa.Column("dpop_jkt", sa.Text),
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

pushed: Final = sa.Table(
    "iam_pushed_requests",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)
sa.Index("iam_pushed_requests_by_expiry", pushed.c.expires_at)

device_grants: Final = sa.Table(
    "iam_device_grants",
    metadata,
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
sa.Index("iam_device_grants_by_expiry", device_grants.c.expires_at)

session_clients: Final = sa.Table(
    "iam_session_clients",
    metadata,
    sa.Column("session_id", sa.Text, primary_key=True),
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_session_clients_by_expiry", session_clients.c.expires_at)

logout_notices: Final = sa.Table(
    "iam_logout_notices",
    metadata,
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
"""One notice a session and application, however often its end is announced."""
sa.Index("iam_logout_notices_due", logout_notices.c.state, logout_notices.c.next_at)

client_requests: Final = sa.Table(
    "iam_client_requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("requester_id", sa.Text, nullable=False),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
