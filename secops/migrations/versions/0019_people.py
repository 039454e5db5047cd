"""Organisations, mandates, change requests, privileges with an end."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019_people"
down_revision = "0018_zero_trust"

_PATHS = "iam_organisation_paths"
_CLOSE = """
INSERT INTO iam_organisation_paths (ancestor_id, descendant_id, depth)
WITH RECURSIVE up (ancestor_id, descendant_id, depth) AS (
    SELECT org_id, org_id, 0 FROM iam_organisations
    UNION ALL
    SELECT o.parent_id, up.descendant_id, up.depth + 1
    FROM up JOIN iam_organisations o ON o.org_id = up.ancestor_id
    WHERE o.parent_id IS NOT NULL
)
SELECT ancestor_id, descendant_id, depth FROM up
"""
_INDEXES = (
    ("iam_organisations_of_parent", "iam_organisations", ["parent_id"]),
    ("iam_civil_services_of_organisation", "iam_civil_services", ["organisation_id"]),
    ("iam_accounts_of_owner", "iam_accounts", ["owner_id"]),
    ("iam_accounts_by_sign_in", "iam_accounts", ["last_sign_in", "id"]),
    ("iam_accounts_by_end", "iam_accounts", ["expires_at"]),
    ("iam_mandates_of_legal_person", "iam_mandates", ["legal_person_id"]),
    ("iam_role_grants_by_end", "iam_role_grants", ["expires_at"]),
)


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "iam_organisations": (sa.Column("closed_at", sa.BigInteger),),
        "iam_civil_services": (
            sa.Column("organisation_id", sa.Text),
            sa.Column("started_at", sa.BigInteger, nullable=False, server_default="0"),
            sa.Column("ended_at", sa.BigInteger),
        ),
        "iam_legal_persons": (sa.Column("representative_id", sa.Text),),
        "iam_accounts": (
            sa.Column("owner_id", sa.Text),
            sa.Column("review_at", sa.BigInteger),
            sa.Column("expires_at", sa.BigInteger),
        ),
        "iam_mandates": (
            sa.Column("services", sa.Text, nullable=False, server_default="[]"),
            sa.Column("seals", sa.Text, nullable=False, server_default="[]"),
            sa.Column("granter_id", sa.Text),
            sa.Column("granted_at", sa.BigInteger, nullable=False, server_default="0"),
            sa.Column("signature", sa.LargeBinary),
        ),
        "iam_role_grants": (sa.Column("expires_at", sa.BigInteger),),
    }


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    for name, table, indexed in _INDEXES:
        op.create_index(name, table, indexed)
    op.create_table(
        _PATHS,
        sa.Column("ancestor_id", sa.Text, primary_key=True),
        sa.Column("descendant_id", sa.Text, primary_key=True),
        sa.Column("depth", sa.Integer, nullable=False),
    )
    op.create_index("iam_organisation_paths_up", _PATHS, ["descendant_id"])
    op.execute(_CLOSE)
    _create_changes()
    _create_departures()
    op.create_table(
        "iam_acting",
        sa.Column("session_id", sa.Text, sa.ForeignKey("iam_sessions.id"), primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("mandate_id", sa.Text, sa.ForeignKey("iam_mandates.id"), nullable=False),
        sa.Column("chosen_at", sa.BigInteger, nullable=False),
    )


def _create_changes() -> None:
    op.create_table(
        "iam_change_requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("base", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("requester_id", sa.Text, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("decision_reason", sa.Text, nullable=False),
    )
    op.create_index("iam_change_requests_waiting", "iam_change_requests", ["state", "id"])
    op.create_index("iam_change_requests_of_requester", "iam_change_requests", ["requester_id"])


def _create_departures() -> None:
    op.create_table(
        "iam_departures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
        sa.Column("successor_id", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("ordered_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index("iam_departures_due", "iam_departures", ["state", "due_at"])
    op.create_index(
        "iam_departures_once",
        "iam_departures",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )


def downgrade() -> None:
    for table in ("iam_acting", "iam_departures", "iam_change_requests", _PATHS):
        op.drop_table(table)
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)
