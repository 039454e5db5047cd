"""Tables of incidents, their timelines, alerts and filed reports."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

incidents: Final = Table(
    "playbooks_incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("discovered_at", BigInteger, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("reporting_level", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("handled_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lessons", Text, nullable=False, server_default=""),
    Column("ending", Text, nullable=False, server_default=""),
    Column("duplicate_of", Text, nullable=False, server_default=""),
    Column("contained_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", Text, nullable=False, server_default=""),
    Index("playbooks_incidents_by_time", "org_id", "opened_at", "id"),
    Index("playbooks_incidents_by_closing", "org_id", "closed_at"),
)

incident_timeline: Final = Table(
    "playbooks_incident_timeline",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("details", Text, nullable=False),
)

incident_alerts: Final = Table(
    "playbooks_incident_alerts",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    Column("evidence_count", Integer, nullable=False),
    Column("evidence_sha256", Text, nullable=False),
    Column("first_event_at", BigInteger),
    Column("acknowledged_at", BigInteger),
    Index("playbooks_incident_alerts_by_incident", "incident_id"),
)
"""The primary key is the rule that an alert belongs to one incident."""

filings: Final = Table(
    "playbooks_filings",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("declared_by", Text, nullable=False),
    Column("declared_at", BigInteger, nullable=False),
    Column("filed_at", BigInteger),
    Column("filed_by", Text, nullable=False),
    Column("filed_to", Text, nullable=False),
    Column("reference", Text, nullable=False),
)
