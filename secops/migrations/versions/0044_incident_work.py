"""Members, tasks, observables, evidence and custody of incidents; emergency plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044_incident_work"
down_revision = "0042_alert_queue"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=True)


def _number(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=optional)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    """Add columns and tables; incidents that are there were acknowledged by nobody."""
    for name in ("lessons", "ending", "duplicate_of", "acknowledged_by"):
        op.add_column(
            "playbooks_incidents", sa.Column(name, sa.Text, nullable=False, server_default="")
        )
    for name in ("contained_at", "acknowledged_at"):
        op.add_column("playbooks_incidents", _number(name, optional=True))
    op.create_index(
        "playbooks_incidents_by_closing", "playbooks_incidents", ["org_id", "closed_at"]
    )
    for name in ("first_event_at", "acknowledged_at"):
        op.add_column("playbooks_incident_alerts", _number(name, optional=True))
    _work()
    _evidence()
    _plans()


def _work() -> None:
    op.create_table(
        "playbooks_incident_members",
        *map(_key, ("incident_id", "account_id")),
        *map(_text, ("org_id", "name", "role", "added_by")),
        _number("added_at"),
    )
    op.create_table(
        "playbooks_incident_tasks",
        _key("id"),
        *map(_text, ("incident_id", "org_id", "title", "phase", "created_by")),
        _number("created_at"),
        *map(_text, ("assignee", "assignee_name")),
        _number("due_at", optional=True),
        *map(_text, ("state", "done_by")),
        _number("done_at", optional=True),
        *map(_text, ("result", "source")),
        _count("version"),
    )
    op.create_index(
        "playbooks_incident_tasks_by_incident",
        "playbooks_incident_tasks",
        ["incident_id", "created_at", "id"],
    )
    op.create_table(
        "playbooks_observables",
        *map(_key, ("incident_id", "kind", "value")),
        _text("org_id"),
        *map(_number, ("first_seen", "last_seen")),
        *map(_text, ("alert_id", "added_by")),
        _number("added_at"),
    )
    op.create_index(
        "playbooks_observables_by_value", "playbooks_observables", ["org_id", "kind", "value"]
    )


def _evidence() -> None:
    op.create_table(
        "playbooks_evidence",
        _key("id"),
        *map(_text, ("incident_id", "org_id", "name", "kind", "source")),
        _number("size"),
        *map(_text, ("sha256", "sm3", "kept_by")),
        _number("kept_at"),
        *map(_text, ("key", "holder")),
        sa.Column("holder_is_person", sa.Boolean(create_constraint=False), nullable=False),
        _count("links"),
        _text("head"),
    )
    op.create_index(
        "playbooks_evidence_by_key", "playbooks_evidence", ["incident_id", "key"], unique=True
    )
    op.create_table(
        "playbooks_custody_links",
        _key("evidence_id"),
        sa.Column("seq", sa.Integer, primary_key=True),
        *map(_text, ("org_id", "incident_id", "record", "signature", "digest")),
    )
    op.create_index(
        "playbooks_custody_links_by_incident", "playbooks_custody_links", ["incident_id"]
    )
    op.create_table(
        "playbooks_custody_offers",
        _key("evidence_id"),
        *map(_text, ("org_id", "incident_id", "giver", "receiver", "receiver_name", "reason")),
        _number("offered_at"),
    )


def _plans() -> None:
    op.create_table(
        "playbooks_emergency_plans",
        _key("id"),
        sa.Column("version", sa.Integer, primary_key=True),
        *map(_text, ("org_id", "title", "format", "content", "classes", "playbooks", "tasks")),
        _number("review_at"),
        *map(_text, ("sha256", "state", "written_by")),
        _number("written_at"),
        *map(_text, ("approval_id", "approved_by")),
        _number("approved_at", optional=True),
        _number("ended_at", optional=True),
        _count("revision"),
    )
    op.create_index(
        "playbooks_emergency_plans_by_org",
        "playbooks_emergency_plans",
        ["org_id", "written_at", "id", "version"],
    )
