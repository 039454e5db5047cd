"""Bulk actions over alerts, the revision they select by, and the queue's index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039_bulk_actions"
down_revision = "0038_durable_runs"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    """Add tables, column and indexes; alerts that are there have revision 0."""
    op.add_column(
        "detectors_alerts",
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_index("detectors_alerts_by_revision", "detectors_alerts", ["revision"])
    op.create_index(
        "detectors_alerts_by_queue", "detectors_alerts", ["org_id", "status", "last_at", "id"]
    )
    op.create_table(
        "detectors_bulk_actions",
        sa.Column("id", sa.Text, primary_key=True),
        *map(_text, ("org_id", "verb", "reason", "wanted")),
        *map(_number, ("snapshot", "count")),
        *map(_text, ("state", "ordered_by", "ordered")),
        _number("created_at"),
        sa.Column("ordered_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("undoes", sa.Text),
        sa.Column("undone_by", sa.Text),
        sa.Column("last_at", sa.BigInteger),
        _text("last_id"),
        *map(_number, ("place", "written", "told")),
        *map(_text, ("root", "ending", "failure")),
    )
    op.create_index(
        "detectors_bulk_actions_by_org", "detectors_bulk_actions", ["org_id", "created_at", "id"]
    )
    op.create_index(
        "detectors_bulk_actions_by_state", "detectors_bulk_actions", ["state", "ordered_at"]
    )
    op.create_table(
        "detectors_bulk_items",
        sa.Column("action_id", sa.Text, primary_key=True),
        sa.Column("alert_id", sa.Text, primary_key=True),
        _text("org_id"),
        _number("place"),
        sa.Column("version", sa.Integer, nullable=False),
        *map(_text, ("result", "before")),
    )
    op.create_index("detectors_bulk_items_by_place", "detectors_bulk_items", ["action_id", "place"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("detectors_bulk_items")
    op.drop_table("detectors_bulk_actions")
    op.drop_index("detectors_alerts_by_queue", "detectors_alerts")
    op.drop_index("detectors_alerts_by_revision", "detectors_alerts")
    op.drop_column("detectors_alerts", "revision")
