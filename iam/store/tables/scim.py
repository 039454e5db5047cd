"""What provisioning systems (SCIM) know of accounts, and the groups they keep."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

scim_users: Final = sa.Table(
    "iam_scim_users",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("sealed_content", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("deleted_at", sa.BigInteger),
)
sa.Index("iam_scim_users_of_organisation", scim_users.c.org_id, scim_users.c.account_id)

scim_groups: Final = sa.Table(
    "iam_scim_groups",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_scim_groups_of_organisation", scim_groups.c.org_id, scim_groups.c.id)
