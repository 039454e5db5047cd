"""The schedule: gaps, what rules fare, versions, suppression, exceptions, risk of entities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010_schedule"
down_revision = "0009_log_sources"

_ALERTS = "detectors_alerts"


def upgrade() -> None:
    op.add_column(_ALERTS, sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.add_column(_ALERTS, sa.Column("suppressed_by", sa.Text))
    _create_schedule()
    _create_triage()


def _create_schedule() -> None:
    op.create_table(
        "detectors_gaps",
        sa.Column("detector", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("first_seq", sa.BigInteger, primary_key=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "detectors_plain_hits",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("org_id", sa.Text, nullable=False),
    )
    op.create_index(
        "detectors_plain_hits_by_time", "detectors_plain_hits", ["alert_id", "at", "event_id"]
    )
    op.create_table(
        "detectors_alert_versions",
        sa.Column("alert_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
    )
    op.create_table(
        "detectors_rule_health",
        sa.Column("rule_id", sa.Text, primary_key=True),
        sa.Column("last_hit_at", sa.BigInteger),
        sa.Column("last_hit_seq", sa.BigInteger),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("cost_ns", sa.BigInteger, nullable=False),
        sa.Column("cost_events", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "detectors_logsource_feeds",
        sa.Column("logsource", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "detectors_seen_fields",
        sa.Column("logsource", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "detectors_watermarks",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def _create_triage() -> None:
    op.create_table(
        "detectors_exceptions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("condition", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("hits", sa.BigInteger, nullable=False),
        sa.Column("last_hit_at", sa.BigInteger),
    )
    op.create_index(
        "detectors_exceptions_by_org", "detectors_exceptions", ["org_id", "created_at", "id"]
    )
    op.create_table(
        "detectors_suppressions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("lifted_by", sa.Text),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_index(
        "detectors_suppressions_by_org", "detectors_suppressions", ["org_id", "created_at", "id"]
    )
    op.create_table(
        "detectors_suppressed_groups",
        sa.Column("suppression_id", sa.Text, primary_key=True),
        sa.Column("leader", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("group_key", sa.Text, nullable=False),
        sa.Column("leader_at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("sample", sa.Text, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "detectors_suppressed_groups_by_key",
        "detectors_suppressed_groups",
        ["suppression_id", "group_key", "leader_at"],
    )
    op.create_table(
        "detectors_risks",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("risk", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("detectors_risks_by_risk", "detectors_risks", ["org_id", "risk", "subject"])
    op.create_table(
        "detectors_risk_points",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("risk", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "detectors_criticalities",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in (
        "detectors_criticalities",
        "detectors_risk_points",
        "detectors_risks",
        "detectors_suppressed_groups",
        "detectors_suppressions",
        "detectors_exceptions",
        "detectors_watermarks",
        "detectors_seen_fields",
        "detectors_logsource_feeds",
        "detectors_rule_health",
        "detectors_alert_versions",
        "detectors_plain_hits",
        "detectors_gaps",
    ):
        op.drop_table(name)
    for name in ("suppressed_by", "version"):
        op.drop_column(_ALERTS, name)
