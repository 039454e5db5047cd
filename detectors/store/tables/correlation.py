"""Groups that wait for their windows to end, sightings, inner episodes, and what did not count."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, Text

from detectors.store.tables.schema import metadata

correlation_groups: Final = Table(
    "detectors_correlation_groups",
    metadata,
    Column("correlation", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("group_key", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("begins_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("settled_to", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Index("detectors_correlation_groups_due", "correlation", "version", "due_at"),
)

sightings: Final = Table(
    "detectors_sightings",
    metadata,
    Column("correlation", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("group_key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("first_at", BigInteger, primary_key=True),
    Column("first_event", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("detectors_sightings_by_time", "correlation", "version", "group_key", "first_at"),
)

inner_episodes: Final = Table(
    "detectors_inner_episodes",
    metadata,
    Column("correlation", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("group_key", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("fired_at", BigInteger, nullable=False),
    Column("first_event", Text, nullable=False),
    Column("event_count", BigInteger, nullable=False),
    Index("detectors_inner_episodes_by_time", "correlation", "version", "group_key", "last_at"),
)

correlation_counts: Final = Table(
    "detectors_correlation_counts",
    metadata,
    Column("correlation", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("ungrouped", BigInteger, nullable=False),
    Column("unmeasured", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
)
