"""The tables of incidents and playbooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_playbooks"
down_revision = "0005_detectors"


def upgrade() -> None:
    _create_incidents()
    _create_runs()


def _create_incidents() -> None:
    op.create_table(
        "playbooks_incidents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("discovered_at", sa.BigInteger, nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("reporting_level", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("drill", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("handled_at", sa.BigInteger),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "playbooks_incidents_by_time", "playbooks_incidents", ["org_id", "opened_at", "id"]
    )
    op.create_table(
        "playbooks_incident_timeline",
        sa.Column("incident_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_table(
        "playbooks_incident_alerts",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("linked_at", sa.BigInteger, nullable=False),
        sa.Column("evidence_count", sa.Integer, nullable=False),
        sa.Column("evidence_sha256", sa.Text, nullable=False),
    )
    op.create_index(
        "playbooks_incident_alerts_by_incident", "playbooks_incident_alerts", ["incident_id"]
    )
    op.create_table(
        "playbooks_playbooks",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("content_hash", sa.Text, primary_key=True),
        sa.Column("playbook_id", sa.Text, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("approved_at", sa.BigInteger),
    )


def _create_runs() -> None:
    op.create_table(
        "playbooks_runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("plan_sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requester_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text),
        sa.Column("approver_id", sa.Text),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_index("playbooks_runs_by_incident", "playbooks_runs", ["incident_id", "created_at"])
    op.create_index("playbooks_runs_by_state", "playbooks_runs", ["state", "created_at"])
    op.create_index("playbooks_runs_by_time", "playbooks_runs", ["org_id", "created_at", "id"])
    op.create_table(
        "playbooks_run_steps",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("target_index", sa.Integer, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("deadline", sa.BigInteger, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
    )
    op.create_table(
        "playbooks_notifications",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "playbooks_notifications_by_time", "playbooks_notifications", ["org_id", "at", "id"]
    )


def downgrade() -> None:
    for table in (
        "playbooks_notifications",
        "playbooks_run_steps",
        "playbooks_runs",
        "playbooks_playbooks",
        "playbooks_incident_alerts",
        "playbooks_incident_timeline",
        "playbooks_incidents",
    ):
        op.drop_table(table)
