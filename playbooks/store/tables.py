"""The tables of incidents and runs. Times are UTC microseconds; JSON stands in text."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text

metadata: Final = MetaData()

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
    Index("playbooks_incidents_by_time", "org_id", "opened_at", "id"),
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
    Index("playbooks_incident_alerts_by_incident", "incident_id"),
)
"""The primary key is the rule that an alert belongs to one incident."""

playbooks: Final = Table(
    "playbooks_playbooks",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("playbook_id", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
)

runs: Final = Table(
    "playbooks_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("approval_id", Text),
    Column("approver_id", Text),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("error", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("due_at", BigInteger),
    Column("approvers", Text, nullable=False, server_default="[]"),
    Index("playbooks_runs_by_time", "org_id", "created_at", "id"),
    Index("playbooks_runs_by_state", "state", "created_at"),
    Index("playbooks_runs_by_incident", "incident_id", "created_at"),
    Index("playbooks_runs_by_due", "due_at"),
)

run_steps: Final = Table(
    "playbooks_run_steps",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("target_index", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("details", Text, nullable=False),
    Column("loop", Text, nullable=False, server_default=""),
)
"""The journal of a run: append-only."""

notifications: Final = Table(
    "playbooks_notifications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("at", BigInteger, nullable=False),
    Index("playbooks_notifications_by_time", "org_id", "at", "id"),
)

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
