"""Correlations: what their windows, first sightings and absences keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_correlations"
down_revision = "0007_audits"


def upgrade() -> None:
    with op.batch_alter_table("detectors_matches") as batch:
        batch.add_column(sa.Column("rules", sa.Text, nullable=False, server_default="1"))
        batch.add_column(sa.Column("value", sa.Text))
    op.create_table(
        "detectors_correlation_groups",
        *_group_key(),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("begins_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("settled_to", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "detectors_correlation_groups_due",
        "detectors_correlation_groups",
        ["correlation", "version", "due_at"],
    )
    _create_found()
    op.create_table(
        "detectors_correlation_counts",
        sa.Column("correlation", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("ungrouped", sa.BigInteger, nullable=False),
        sa.Column("unmeasured", sa.BigInteger, nullable=False),
        sa.Column("cut", sa.BigInteger, nullable=False),
        sa.Column("late", sa.BigInteger, nullable=False),
    )


def _create_found() -> None:
    op.create_table(
        "detectors_sightings",
        *_group_key(),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("first_at", sa.BigInteger, primary_key=True),
        sa.Column("first_event", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "detectors_sightings_by_time",
        "detectors_sightings",
        ["correlation", "version", "group_key", "first_at"],
    )
    op.create_table(
        "detectors_inner_episodes",
        *_group_key(),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("fired_at", sa.BigInteger, nullable=False),
        sa.Column("first_event", sa.Text, nullable=False),
        sa.Column("event_count", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "detectors_inner_episodes_by_time",
        "detectors_inner_episodes",
        ["correlation", "version", "group_key", "last_at"],
    )


def _group_key() -> tuple[sa.Column[str], ...]:
    return tuple(
        sa.Column(name, sa.Text, primary_key=True)
        for name in ("correlation", "version", "group_key")
    )


def downgrade() -> None:
    for name in (
        "detectors_correlation_counts",
        "detectors_inner_episodes",
        "detectors_sightings",
        "detectors_correlation_groups",
    ):
        op.drop_table(name)
    with op.batch_alter_table("detectors_matches") as batch:
        batch.drop_column("value")
        batch.drop_column("rules")
