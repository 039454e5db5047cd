"""Identity providers upstream, who is linked to them, and how surely people are known."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from iam.store.tables.schema import metadata

upstreams: Final = sa.Table(
    "iam_upstreams",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)
sa.Index("iam_upstreams_of_organisation", upstreams.c.org_id, upstreams.c.state)

upstream_proposals: Final = sa.Table(
    "iam_upstream_proposals",
    metadata,
    sa.Column("approval_id", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("upstream_id", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

upstream_links: Final = sa.Table(
    "iam_upstream_links",
    metadata,
    sa.Column("upstream_id", sa.Text, primary_key=True),
    sa.Column("subject_key", sa.LargeBinary, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), nullable=False),
    sa.Column("sealed_subject", sa.LargeBinary, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("linked_at", sa.BigInteger, nullable=False),
    sa.Column("checked_at", sa.BigInteger, nullable=False),
    # one account is one subject of a provider: another one would be another person
    sa.UniqueConstraint("upstream_id", "account_id", name="iam_upstream_links_once"),
)
sa.Index("iam_upstream_links_by_check", upstream_links.c.checked_at)

real_name_levels: Final = sa.Table(
    "iam_real_name_levels",
    metadata,
    sa.Column("account_id", sa.Text, sa.ForeignKey("iam_accounts.id"), primary_key=True),
    sa.Column("scheme", sa.Text, primary_key=True),
    sa.Column("org_id", sa.Text, nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
