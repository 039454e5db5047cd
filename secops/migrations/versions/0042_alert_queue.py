"""The queue of alerts: who has one, who took it up when, saved views, deadlines, its indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042_alert_queue"
down_revision = "0041_holds"

_ALERTS = "detectors_alerts"
_WAITING = (
    "org_id",
    "last_at",
    "id",
    "status",
    "severity",
    "rule_id",
    "assignee",
    "acknowledged_at",
    "raised_at",
    "reopened_at",
    "entity_kinds",
    "revision",
)
_KINDS = ("account", "address", "session")


def upgrade() -> None:
    """Add columns, tables and indexes; alerts that are there learn what kinds they are about."""
    for column in (
        sa.Column("assignee", sa.Text),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("reopened_at", sa.BigInteger),
        sa.Column("entity_kinds", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column(_ALERTS, column)
    op.add_column("detectors_bulk_actions", sa.Column("assignee", sa.Text))
    alerts = sa.table(_ALERTS, sa.column("id"), sa.column("entity_kinds", sa.Text))
    subjects = sa.table(
        "detectors_alert_subjects", sa.column("alert_id"), sa.column("subject", sa.Text)
    )
    for kind in _KINDS:
        mine = sa.select(subjects.c.alert_id).where(subjects.c.subject.startswith(f"{kind}:"))
        said = alerts.c.entity_kinds + f" {kind} "
        op.execute(alerts.update().where(alerts.c.id.in_(mine)).values(entity_kinds=said))
    op.create_index("detectors_alerts_by_rule", _ALERTS, ["org_id", "rule_id", "last_at", "id"])
    op.create_index(
        "detectors_alerts_by_severity", _ALERTS, ["org_id", "severity", "last_at", "id"]
    )
    waits = sa.text("status = 'open'")
    op.create_index(
        "detectors_alerts_waiting",
        _ALERTS,
        list(_WAITING),
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.create_index(
        "detectors_alert_subjects_waiting",
        "detectors_alert_subjects",
        ["alert_id", "subject", "risk", "open"],
        sqlite_where=sa.text("open IS 1"),
        postgresql_where=sa.text("open IS true"),
    )
    op.create_table(
        "detectors_bulk_subjects",
        sa.Column("action_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
    )
    op.create_table(
        "detectors_alert_views",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("account_id", "name", name="detectors_alert_views_of_account"),
    )
    op.create_table(
        "detectors_alert_deadlines",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("severity", sa.Text, primary_key=True),
        sa.Column("acknowledge", sa.BigInteger, nullable=False),
        sa.Column("resolve", sa.BigInteger, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("detectors_alert_deadlines")
    op.drop_table("detectors_alert_views")
    op.drop_table("detectors_bulk_subjects")
    op.drop_index("detectors_alert_subjects_waiting", "detectors_alert_subjects")
    for name in ("waiting", "by_severity", "by_rule"):
        op.drop_index(f"detectors_alerts_{name}", _ALERTS)
    op.drop_column("detectors_bulk_actions", "assignee")
    for name in ("entity_kinds", "reopened_at", "acknowledged_by", "acknowledged_at", "assignee"):
        op.drop_column(_ALERTS, name)
