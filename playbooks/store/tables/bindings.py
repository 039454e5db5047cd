"""Tables of bindings alert → playbook, of what they answered, and of what holds them back."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from playbooks.store.tables.schema import metadata

bindings: Final = Table(
    "playbooks_bindings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("terms", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", BigInteger),
    Column("change", Text, nullable=False),
    Column("change_sha256", Text, nullable=False),
    Index("playbooks_bindings_by_org", "org_id", "state", "id"),
)
"""``change`` is what waits for another person, JSON, or "null"."""

answers: Final = Table(
    "playbooks_answers",
    metadata,
    Column("binding_id", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Index("playbooks_answers_by_time", "org_id", "at", "binding_id", "alert_id"),
    Index("playbooks_answers_by_alert", "org_id", "alert_id"),
)
"""The primary key is the rule that a binding answers an alert once."""

budgets: Final = Table(
    "playbooks_budgets",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("spent", Text, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)
"""``spent`` holds the instants of the last hour, JSON: at most as many as the budget has."""

cooldowns: Final = Table(
    "playbooks_cooldowns",
    metadata,
    Column("binding_id", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
)

pauses: Final = Table(
    "playbooks_pauses",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("paused", Boolean(create_constraint=False), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("approval_id", Text, nullable=False),
)

automatic_runs: Final = Table(
    "playbooks_automatic_runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("binding_id", Text, nullable=False),
    Column("binding_version", Integer, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("approve_by", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Index("playbooks_automatic_runs_by_deadline", "state", "approve_by"),
)
"""Runs that began before they were approved: waiting, confirmed or taken_back."""
