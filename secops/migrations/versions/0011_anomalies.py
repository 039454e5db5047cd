"""Anomalies: models with their cards, people's words on sign-ins, how far was watched."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011_anomalies"
down_revision = "0010_schedule"


def upgrade() -> None:
    op.create_table(
        "detectors_models",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("signatures", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("drift", sa.Text, nullable=False),
    )
    op.create_index("detectors_models_by_kind", "detectors_models", ["kind", "state", "made_at"])
    op.create_table(
        "detectors_login_judgements",
        sa.Column("session_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("judged_by", sa.Text, nullable=False),
        sa.Column("judged_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "detectors_anomaly_progress",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next_seq", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in ("detectors_anomaly_progress", "detectors_login_judgements", "detectors_models"):
        op.drop_table(name)
