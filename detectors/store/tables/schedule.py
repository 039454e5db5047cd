"""Gaps, hits of plain rules, alerts' versions, rules' health, and where time has got to."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from detectors.store.tables.schema import metadata

gaps: Final = Table(
    "detectors_gaps",
    metadata,
    Column("detector", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("first_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
)

alert_hits: Final = Table(
    "detectors_alert_hits",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("first_event", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("detectors_alert_hits_by_time", "last_at"),
)
"""What a step added to the events of a plain rule's alert. ``body``: times, ids, by time."""

alert_versions: Final = Table(
    "detectors_alert_versions",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("event_count", Integer, nullable=False),
)

rule_health: Final = Table(
    "detectors_rule_health",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("last_hit_at", BigInteger),
    Column("last_hit_seq", BigInteger),
    Column("failure", Text, nullable=False),
    Column("failed_at", BigInteger),
    Column("cost_ns", BigInteger, nullable=False),
    Column("cost_events", BigInteger, nullable=False),
)

logsource_feeds: Final = Table(
    "detectors_logsource_feeds",
    metadata,
    Column("logsource", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
)

seen_fields: Final = Table(
    "detectors_seen_fields",
    metadata,
    Column("logsource", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("first_seq", BigInteger, nullable=False),
)

watermarks: Final = Table(
    "detectors_watermarks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
