"""Organisations, persons, accounts, mandates and roles."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

_ADMINISTRATOR: Final = "role IN ('system-admin', 'security-admin', 'audit-admin')"

organisations: Final = sa.Table(
    "iam_organisations",
    metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("parent_id", sa.Text),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),
)
sa.Index("iam_organisations_of_parent", organisations.c.parent_id)

organisation_paths: Final = sa.Table(
    "iam_organisation_paths",
    metadata,
    sa.Column("ancestor_id", sa.Text, primary_key=True),
    sa.Column("descendant_id", sa.Text, primary_key=True),
    sa.Column("depth", sa.Integer, nullable=False),
)
"""The tree, closed: every organisation under itself (depth 0) and all above it."""
sa.Index("iam_organisation_paths_up", organisation_paths.c.descendant_id)

persons: Final = sa.Table(
    "iam_persons",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("key", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("proved", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("sealed_name", sa.LargeBinary, nullable=False),
    sa.Column("real_name_level", sa.Integer, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

civil_services: Final = sa.Table(
    "iam_civil_services",
    metadata,
    sa.Column("person_id", sa.Text, sa.ForeignKey("iam_persons.id"), primary_key=True),
    sa.Column("organisation", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("organisation_id", sa.Text),
    sa.Column("started_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("ended_at", sa.BigInteger),
)
sa.Index("iam_civil_services_of_organisation", civil_services.c.organisation_id)

legal_persons: Final = sa.Table(
    "iam_legal_persons",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("credit_code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("representative_id", sa.Text),
)

accounts: Final = sa.Table(
    "iam_accounts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("person_id", sa.Text, sa.ForeignKey("iam_persons.id")),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("last_sign_in", sa.BigInteger),
    sa.Column("owner_id", sa.Text),
    sa.Column("review_at", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger),
    sa.Column("erased_at", sa.BigInteger),
)
sa.Index("iam_accounts_of_person", accounts.c.person_id)
sa.Index("iam_accounts_of_owner", accounts.c.owner_id)
sa.Index("iam_accounts_by_sign_in", accounts.c.last_sign_in, accounts.c.id)
sa.Index("iam_accounts_of_organisation", accounts.c.org_id, accounts.c.id)
sa.Index("iam_accounts_by_end", accounts.c.expires_at)

mandates: Final = sa.Table(
    "iam_mandates",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("legal_person_id", sa.Text, sa.ForeignKey("iam_legal_persons.id"), nullable=False),
    sa.Column("agent_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("starts_at", sa.BigInteger, nullable=False),
    sa.Column("ends_at", sa.BigInteger, nullable=False),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.BigInteger),
    sa.Column("services", sa.Text, nullable=False, server_default="[]"),
    sa.Column("seals", sa.Text, nullable=False, server_default="[]"),
    sa.Column("granter_id", sa.Text),
    sa.Column("granted_at", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("signature", sa.LargeBinary),
)
sa.Index("iam_mandates_of_agent", mandates.c.agent_id)
sa.Index("iam_mandates_of_legal_person", mandates.c.legal_person_id)

person_sides: Final = sa.Table(
    "iam_person_sides",
    metadata,
    sa.Column("person_key", sa.LargeBinary, primary_key=True),
    sa.Column("side", sa.Text, nullable=False),
    sa.UniqueConstraint("person_key", "side", name="iam_person_sides_once"),
)
"""A person stands on one side, operating or judging: one row, one side."""

role_grants: Final = sa.Table(
    "iam_role_grants",
    metadata,
    sa.Column("subject_id", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("side", sa.Text),
    sa.Column("person_key", sa.LargeBinary),
    sa.Column("granted_by", sa.Text, nullable=False),
    sa.Column("granted_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
    # no side and no person (staff, applications): the pair is not looked up (MATCH SIMPLE)
    sa.ForeignKeyConstraint(
        ["person_key", "side"],
        ["iam_person_sides.person_key", "iam_person_sides.side"],
        name="iam_role_grants_one_side",
    ),
    sa.CheckConstraint(
        "subject_kind <> 'account' OR person_key IS NOT NULL", name="iam_role_grants_person"
    ),
)
sa.Index(
    "iam_one_administrator_role_per_person",
    role_grants.c.person_key,
    unique=True,
    sqlite_where=sa.text(_ADMINISTRATOR),
    postgresql_where=sa.text(_ADMINISTRATOR),
)
sa.Index("iam_role_grants_of_person", role_grants.c.person_key)
sa.Index("iam_role_grants_by_end", role_grants.c.expires_at)

enrolments: Final = sa.Table(
    "iam_enrolments",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("used_at", sa.BigInteger),
)
sa.Index("iam_enrolments_of_account", enrolments.c.account_id)
