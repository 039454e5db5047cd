"""What keeps alerts quiet for a while, and how much risk they say of whom."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from detectors.store.tables.schema import metadata

exceptions: Final = Table(
    "detectors_exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", BigInteger),
    Column("hits", BigInteger, nullable=False),
    Column("last_hit_at", BigInteger),
    Index("detectors_exceptions_by_org", "org_id", "created_at", "id"),
)

suppressions: Final = Table(
    "detectors_suppressions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("window", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", BigInteger),
    Index("detectors_suppressions_by_org", "org_id", "created_at", "id"),
)

suppressed_groups: Final = Table(
    "detectors_suppressed_groups",
    metadata,
    Column("suppression_id", Text, primary_key=True),
    Column("leader", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("leader_at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("sample", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("detectors_suppressed_groups_by_key", "suppression_id", "group_key", "leader_at"),
)

risks: Final = Table(
    "detectors_risks",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("risk", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("detectors_risks_by_risk", "org_id", "risk", "subject"),
)

risk_points: Final = Table(
    "detectors_risk_points",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("risk", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)

criticalities: Final = Table(
    "detectors_criticalities",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("weight", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)
