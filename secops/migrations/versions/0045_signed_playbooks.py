"""Signatures beside playbooks, and bindings alert → playbook.

What was approved before, nobody has signed: it is a draft again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045_signed_playbooks"
down_revision = "0044_incident_work"


def upgrade() -> None:
    """Add the columns; runs wait until somebody approves, and so signs, their playbook."""
    op.add_column(
        "playbooks_playbooks",
        sa.Column("signatures", sa.Text(), nullable=False, server_default="[]"),
    )
    op.add_column("playbooks_playbooks", sa.Column("approval_id", sa.Text()))
    op.create_index(
        "playbooks_playbooks_by_id", "playbooks_playbooks", ["org_id", "playbook_id", "modified"]
    )
    entries = sa.table(
        "playbooks_playbooks",
        *(sa.column(name) for name in ("state", "signature", "approved_by", "approved_at")),
    )
    op.execute(
        sa.update(entries).values(
            state="draft", signature="unsigned", approved_by=None, approved_at=None
        )
    )
    _make_bindings()
    _make_limits()


def _texts(*names: str) -> tuple[sa.Column[str], ...]:
    return tuple(sa.Column(name, sa.Text, nullable=False) for name in names)


def _make_bindings() -> None:
    op.create_table(
        "playbooks_bindings",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("org_id", "state"),
        sa.Column("version", sa.Integer, nullable=False),
        *_texts("terms", "proposed_by"),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        *_texts("approved_by"),
        sa.Column("approved_at", sa.BigInteger),
        *_texts("change", "change_sha256"),
    )
    op.create_index("playbooks_bindings_by_org", "playbooks_bindings", ["org_id", "state", "id"])
    op.create_table(
        "playbooks_answers",
        sa.Column("binding_id", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        *_texts("org_id"),
        sa.Column("at", sa.BigInteger, nullable=False),
        *_texts("outcome", "reason", "incident_id", "run_id"),
    )
    op.create_index(
        "playbooks_answers_by_time", "playbooks_answers", ["org_id", "at", "binding_id", "alert_id"]
    )
    op.create_index("playbooks_answers_by_alert", "playbooks_answers", ["org_id", "alert_id"])
    op.create_table(
        "playbooks_automatic_runs",
        sa.Column("run_id", sa.Text, primary_key=True),
        *_texts("org_id", "binding_id"),
        sa.Column("binding_version", sa.Integer, nullable=False),
        *_texts("approval_id"),
        sa.Column("approve_by", sa.BigInteger, nullable=False),
        *_texts("state", "decided_by"),
    )
    op.create_index(
        "playbooks_automatic_runs_by_deadline", "playbooks_automatic_runs", ["state", "approve_by"]
    )


def _make_limits() -> None:
    op.create_table(
        "playbooks_budgets",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("spent", sa.Text, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "playbooks_cooldowns",
        sa.Column("binding_id", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        *_texts("org_id"),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "playbooks_pauses",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("paused", sa.Boolean(create_constraint=False), nullable=False),
        *_texts("changed_by"),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        *_texts("reason", "approval_id"),
    )
