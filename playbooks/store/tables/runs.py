"""Tables of playbooks and their runs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

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
    Column("signatures", Text, nullable=False, server_default="[]"),
    Column("approval_id", Text),
    Index("playbooks_playbooks_by_id", "org_id", "playbook_id", "modified"),
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
