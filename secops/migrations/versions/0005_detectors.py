"""The tables of the detectors: alerts, rules' states, cursors, evaluations, matches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_detectors"
down_revision = "0004_kms"


def upgrade() -> None:
    _create_alerts()
    _create_progress()
    _create_log_sources()


def _create_alerts() -> None:
    op.create_table(
        "detectors_alerts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("rule_version", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("group_key", sa.Text, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("closed_by", sa.Text),
        sa.Column("close_reason", sa.Text, nullable=False),
    )
    op.create_index("detectors_alerts_by_time", "detectors_alerts", ["last_at", "id"])
    op.create_index(
        "detectors_alerts_by_group", "detectors_alerts", ["rule_id", "group_key", "last_at"]
    )
    op.create_table(
        "detectors_alert_subjects",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("risk", sa.Integer, nullable=False),
        sa.Column("open", sa.Boolean(create_constraint=False), nullable=False),
    )
    op.create_index(
        "detectors_alert_subjects_by_subject", "detectors_alert_subjects", ["subject", "open"]
    )
    op.create_table(
        "detectors_rule_states",
        sa.Column("rule_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("enabled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def _create_progress() -> None:
    op.create_table(
        "detectors_cursors",
        sa.Column("detector", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("next_seq", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "detectors_evaluations",
        sa.Column("detector", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("first_seq", sa.BigInteger, primary_key=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("detectors_evaluations_by_time", "detectors_evaluations", ["at"])
    op.create_table(
        "detectors_matches",
        sa.Column("correlation", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("group_key", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
    )


def _create_log_sources() -> None:
    op.create_table(
        "detectors_log_sources",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("data_class", sa.Text, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("encoding", sa.Text),
        sa.Column("follow", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("masks", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )


def downgrade() -> None:
    for name in (
        "detectors_log_sources",
        "detectors_matches",
        "detectors_evaluations",
        "detectors_cursors",
        "detectors_rule_states",
        "detectors_alert_subjects",
        "detectors_alerts",
    ):
        op.drop_table(name)
