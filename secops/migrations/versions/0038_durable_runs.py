"""When a run is due, who approved it so far, and the turn of the loop a step stands in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038_durable_runs"
down_revision = "0034_limits"

_UNFINISHED = ("awaiting_approval", "approved", "running", "waiting")


def upgrade() -> None:
    """Add the columns; every unfinished run is looked at once."""
    op.add_column("playbooks_runs", sa.Column("due_at", sa.BigInteger()))
    op.add_column(
        "playbooks_runs", sa.Column("approvers", sa.Text(), nullable=False, server_default="[]")
    )
    op.create_index("playbooks_runs_by_due", "playbooks_runs", ["due_at"])
    op.add_column(
        "playbooks_run_steps", sa.Column("loop", sa.Text(), nullable=False, server_default="")
    )
    runs = sa.table("playbooks_runs", sa.column("due_at"), sa.column("state"))
    op.execute(sa.update(runs).where(runs.c.state.in_(_UNFINISHED)).values(due_at=0))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("playbooks_run_steps", "loop")
    op.drop_index("playbooks_runs_by_due", "playbooks_runs")
    op.drop_column("playbooks_runs", "approvers")
    op.drop_column("playbooks_runs", "due_at")
