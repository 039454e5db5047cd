"""Alerts, rules' states, cursors, evaluations and matches."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from detectors.store.tables.schema import metadata

alerts: Final = Table(
    "detectors_alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("rule_version", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("close_reason", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("suppressed_by", Text),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("assignee", Text),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text),
    Column("reopened_at", BigInteger),
    Column("entity_kinds", Text, nullable=False, server_default=""),
    Index("detectors_alerts_by_time", "last_at", "id"),
    Index("detectors_alerts_by_queue", "org_id", "status", "last_at", "id"),
    Index("detectors_alerts_by_revision", "revision"),
    Index("detectors_alerts_by_group", "rule_id", "group_key", "last_at"),
    Index("detectors_alerts_by_rule", "org_id", "rule_id", "last_at", "id"),
    Index("detectors_alerts_by_raised", "org_id", "raised_at", "rule_id"),
    Index("detectors_alerts_by_severity", "org_id", "severity", "last_at", "id"),
)

WAITING: Final = "detectors_alerts_waiting"
"""All that the queue filters, counts and sorts by: open alerts are walked without their rows."""
Index(
    WAITING,
    alerts.c.org_id,
    alerts.c.last_at,
    alerts.c.id,
    alerts.c.status,
    alerts.c.severity,
    alerts.c.rule_id,
    alerts.c.assignee,
    alerts.c.acknowledged_at,
    alerts.c.raised_at,
    alerts.c.reopened_at,
    alerts.c.entity_kinds,
    alerts.c.revision,
    sqlite_where=alerts.c.status == sa.literal_column("'open'"),
    postgresql_where=alerts.c.status == sa.literal_column("'open'"),
)

alert_subjects: Final = Table(
    "detectors_alert_subjects",
    metadata,
    Column("alert_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("risk", Integer, nullable=False),
    Column("open", Boolean(create_constraint=False), nullable=False),
    Index("detectors_alert_subjects_by_subject", "subject", "open"),
)

WAITING_SUBJECTS: Final = "detectors_alert_subjects_waiting"
Index(
    WAITING_SUBJECTS,
    alert_subjects.c.alert_id,
    alert_subjects.c.subject,
    alert_subjects.c.risk,
    alert_subjects.c.open,
    sqlite_where=alert_subjects.c.open.is_(True),
    postgresql_where=alert_subjects.c.open.is_(True),
)

rule_states: Final = Table(
    "detectors_rule_states",
    metadata,
    Column("rule_id", Text, primary_key=True),
    Column("org_id", Text, primary_key=True),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

cursors: Final = Table(
    "detectors_cursors",
    metadata,
    Column("detector", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("next_seq", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

evaluations: Final = Table(
    "detectors_evaluations",
    metadata,
    Column("detector", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("first_seq", BigInteger, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("hits", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("detectors_evaluations_by_time", "at"),
)

matches: Final = Table(
    "detectors_matches",
    metadata,
    Column("correlation", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("group_key", Text, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("rules", Text, nullable=False, server_default="1"),
    Column("value", Text),
)
