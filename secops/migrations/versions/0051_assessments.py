"""Answers of persons, scheduled assessments, and how each item stood over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051_assessments"
down_revision = "0050_sealed_files"


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column(
        "assessment_entries", sa.Column("object_id", sa.Text, nullable=False, server_default="")
    )
    op.add_column("assessments", sa.Column("counts", sa.Text, nullable=False, server_default="{}"))
    op.create_index(
        "assessments_by_system",
        "assessments",
        ["org_id", "system_id", "standard", "level", "made_at"],
    )
    _answers()
    _schedules()
    _controls()


def _answers() -> None:
    op.create_table(
        "assessment_answers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "assessment_answers_by_subject",
        "assessment_answers",
        ["org_id", "system_id", "standard", "at"],
    )


def _schedules() -> None:
    op.create_table(
        "assessment_schedules",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("hours", sa.Integer, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("last_id", sa.Text, nullable=False),
        sa.Column("failed", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index(
        "assessment_schedules_once",
        "assessment_schedules",
        ["org_id", "system_id", "standard", "level"],
        unique=True,
    )
    op.create_index("assessment_schedules_due", "assessment_schedules", ["next_at"])


def _controls() -> None:
    op.create_table(
        "control_states",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("system_id", sa.Text, primary_key=True),
        sa.Column("standard", sa.Text, primary_key=True),
        sa.Column("level", sa.Integer, primary_key=True),
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("reason_zh", sa.Text, nullable=False),
        sa.Column("reason_en", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("drifted_from", sa.Text),
    )
    op.create_table(
        "control_changes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("system_id", sa.Text, nullable=False),
        sa.Column("standard", sa.Text, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("judge", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("reason_zh", sa.Text, nullable=False),
        sa.Column("reason_en", sa.Text, nullable=False),
    )
    op.create_index(
        "control_changes_by_item",
        "control_changes",
        ["org_id", "system_id", "standard", "item_id", "at", "id"],
    )
