"""Services and tickets of the CAS server; what provisioning systems know of accounts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020_cas_scim"
down_revision = "0019_people"


def upgrade() -> None:
    """Create the tables of the CAS and SCIM servers."""
    op.create_table(
        "iam_cas_services",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("pairwise", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("single_logout", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("disabled", sa.Boolean(create_constraint=False), nullable=False),
    )
    op.create_table(
        "iam_cas_tickets",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("service_id", sa.Text, sa.ForeignKey("iam_cas_services.id"), nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("fresh", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_cas_tickets_of_session", "iam_cas_tickets", ["session_id"])
    op.create_index("iam_cas_tickets_by_told", "iam_cas_tickets", ["told", "next_at"])
    op.create_table(
        "iam_scim_users",
        sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("sealed_content", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
    )
    op.create_index("iam_scim_users_of_organisation", "iam_scim_users", ["org_id", "account_id"])
    op.create_table(
        "iam_scim_groups",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_index("iam_scim_groups_of_organisation", "iam_scim_groups", ["org_id", "id"])


def downgrade() -> None:
    """Drop them again."""
    for table in ("iam_scim_groups", "iam_scim_users", "iam_cas_tickets", "iam_cas_services"):
        op.drop_table(table)
