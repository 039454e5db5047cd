"""Tables of members, tasks, observables, evidence, its custody, and emergency plans."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

incident_members: Final = Table(
    "playbooks_incident_members",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
)

incident_tasks: Final = Table(
    "playbooks_incident_tasks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("assignee_name", Text, nullable=False),
    Column("due_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("done_by", Text, nullable=False),
    Column("done_at", BigInteger),
    Column("result", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_incident_tasks_by_incident", "incident_id", "created_at", "id"),
)

observables: Final = Table(
    "playbooks_observables",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("alert_id", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Index("playbooks_observables_by_value", "org_id", "kind", "value"),
)

evidence: Final = Table(
    "playbooks_evidence",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("sm3", Text, nullable=False),
    Column("kept_by", Text, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("holder_is_person", Boolean(create_constraint=False), nullable=False),
    Column("links", Integer, nullable=False),
    Column("head", Text, nullable=False),
    Column("blob", Text, nullable=False, server_default=""),
    Index("playbooks_evidence_by_key", "incident_id", "key", unique=True),
)
"""``key`` is the caller's idempotency key, or the item's id: unique either way."""

custody_links: Final = Table(
    "playbooks_custody_links",
    metadata,
    Column("evidence_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("record", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("playbooks_custody_links_by_incident", "incident_id"),
)

custody_offers: Final = Table(
    "playbooks_custody_offers",
    metadata,
    Column("evidence_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("giver", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("receiver_name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("offered_at", BigInteger, nullable=False),
)

emergency_plans: Final = Table(
    "playbooks_emergency_plans",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("classes", Text, nullable=False),
    Column("playbooks", Text, nullable=False),
    Column("tasks", Text, nullable=False),
    Column("review_at", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("written_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("revision", Integer, nullable=False),
    Index("playbooks_emergency_plans_by_org", "org_id", "written_at", "id", "version"),
)
