"""Tables of duty rosters, of what is escalated to whom, and of drills."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

rosters: Final = Table(
    "playbooks_rosters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("members", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_rosters_by_name", "org_id", "name", unique=True),
)

shifts: Final = Table(
    "playbooks_shifts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("roster_id", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("primary_id", Text, nullable=False),
    Column("deputy_id", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Index("playbooks_shifts_by_time", "roster_id", "starts_at"),
)

swaps: Final = Table(
    "playbooks_swaps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("roster_id", Text, nullable=False),
    Column("shift_id", Text, nullable=False),
    Column("shift_version", Integer, nullable=False),
    Column("place", Text, nullable=False),
    Column("from_id", Text, nullable=False),
    Column("to_id", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_at", BigInteger),
    Index("playbooks_swaps_by_roster", "roster_id", "state"),
)

escalations: Final = Table(
    "playbooks_escalations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("roster_id", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("drill", Boolean(create_constraint=False), nullable=False),
    Column("step", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", BigInteger),
    Index("playbooks_escalations_by_due", "state", "next_at"),
    Index("playbooks_escalations_by_time", "org_id", "created_at", "id"),
)

drills: Final = Table(
    "playbooks_drills",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("planned_by", Text, nullable=False),
    Column("planned_at", BigInteger, nullable=False),
    Column("approval_id", Text),
    Column("approved_by", Text),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("version", Integer, nullable=False),
    Index("playbooks_drills_by_time", "org_id", "planned_at", "id"),
)

drill_notes: Final = Table(
    "playbooks_drill_notes",
    metadata,
    Column("drill_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("subject", Text, nullable=False),
)
"""What happened in a drill and what was found: append-only."""
