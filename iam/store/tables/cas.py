"""Services of the CAS server and their tickets."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

cas_services: Final = sa.Table(
    "iam_cas_services",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("attributes", sa.Text, nullable=False),
    sa.Column("pairwise", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("single_logout", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("disabled", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("real_name_level", sa.Text, nullable=False, server_default="none"),
)

cas_tickets: Final = sa.Table(
    "iam_cas_tickets",
    metadata,
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
sa.Index("iam_cas_tickets_of_session", cas_tickets.c.session_id)
sa.Index("iam_cas_tickets_by_told", cas_tickets.c.told, cas_tickets.c.next_at)
