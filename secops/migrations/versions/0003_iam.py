"""The tables of identity and access."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_iam"
down_revision = "0002_ledger"

_ADMINISTRATOR = "role IN ('system-admin', 'security-admin', 'audit-admin')"


def upgrade() -> None:
    _create_persons()
    _create_roles()
    _create_credentials()
    _create_sessions()
    _create_clients()


def _create_persons() -> None:
    op.create_table(
        "iam_organisations",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("parent_id", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_persons",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("proved", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary, nullable=False),
        sa.Column("real_name_level", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_civil_services",
        sa.Column("person_id", sa.Text, sa.ForeignKey("iam_persons.id"), primary_key=True),
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("post", sa.Text, nullable=False),
    )
    op.create_table(
        "iam_legal_persons",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("credit_code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text, sa.ForeignKey("iam_persons.id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_sign_in", sa.BigInteger),
    )
    op.create_index("iam_accounts_of_person", "iam_accounts", ["person_id"])
    op.create_table(
        "iam_mandates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column(
            "legal_person_id", sa.Text, sa.ForeignKey("iam_legal_persons.id"), nullable=False
        ),
        sa.Column("agent_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index("iam_mandates_of_agent", "iam_mandates", ["agent_id"])


def _create_roles() -> None:
    op.create_table(
        "iam_person_sides",
        sa.Column("person_key", sa.LargeBinary, primary_key=True),
        sa.Column("side", sa.Text, nullable=False),
        sa.UniqueConstraint("person_key", "side", name="iam_person_sides_once"),
    )
    op.create_table(
        "iam_role_grants",
        sa.Column("subject_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("side", sa.Text),
        sa.Column("person_key", sa.LargeBinary),
        sa.Column("granted_by", sa.Text, nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_key", "side"],
            ["iam_person_sides.person_key", "iam_person_sides.side"],
            name="iam_role_grants_one_side",
        ),
        sa.CheckConstraint(
            "subject_kind <> 'account' OR person_key IS NOT NULL", name="iam_role_grants_person"
        ),
    )
    op.create_index(
        "iam_one_administrator_role_per_person",
        "iam_role_grants",
        ["person_key"],
        unique=True,
        sqlite_where=sa.text(_ADMINISTRATOR),
        postgresql_where=sa.text(_ADMINISTRATOR),
    )
    op.create_index("iam_role_grants_of_person", "iam_role_grants", ["person_key"])


def _create_credentials() -> None:
    op.create_table(
        "iam_passwords",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("set_at", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_table(
        "iam_totp",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
        sa.Column("last_step", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_recovery_codes",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
    )
    op.create_table(
        "iam_enrolments",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_index("iam_enrolments_of_account", "iam_enrolments", ["account_id"])
    op.create_table(
        "iam_lockouts",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("k", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )


def _create_sessions() -> None:
    op.create_table(
        "iam_sessions",
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
    op.create_index("iam_sessions_of_account", "iam_sessions", ["account_id", "ended_at"])
    op.create_table(
        "iam_rp_sessions",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "iam_risks",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("risk", sa.Integer, nullable=False),
        sa.Column("event_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _create_clients() -> None:
    op.create_table(
        "iam_clients",
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
    op.create_table(
        "iam_codes",
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
    op.create_index("iam_codes_by_expiry", "iam_codes", ["expires_at"])
    op.create_table(
        "iam_refresh_families",
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
    op.create_index("iam_refresh_families_of_session", "iam_refresh_families", ["session_id"])
    op.create_table(
        "iam_used",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("k", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_used_by_expiry", "iam_used", ["expires_at"])


def downgrade() -> None:
    for name in (
        "iam_used",
        "iam_refresh_families",
        "iam_codes",
        "iam_clients",
        "iam_risks",
        "iam_rp_sessions",
        "iam_sessions",
        "iam_lockouts",
        "iam_enrolments",
        "iam_recovery_codes",
        "iam_totp",
        "iam_passwords",
        "iam_role_grants",
        "iam_person_sides",
        "iam_mandates",
        "iam_accounts",
        "iam_legal_persons",
        "iam_civil_services",
        "iam_persons",
        "iam_organisations",
    ):
        op.drop_table(name)
