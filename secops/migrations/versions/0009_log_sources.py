"""Log sources: owner, expected silence, peers; how each source fares."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009_log_sources"
down_revision = "0008_correlations"

_SOURCES = "detectors_log_sources"


def upgrade() -> None:
    for name in ("owner", "peers", "hosts"):
        op.add_column(_SOURCES, sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column(_SOURCES, sa.Column("expected_silence", sa.BigInteger))
    op.create_table(
        "detectors_source_health",
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("last_ingested", sa.BigInteger),
        sa.Column("rate", sa.Float, nullable=False),
        sa.Column("lag", sa.Float, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("dropped", sa.BigInteger, nullable=False),
        sa.Column("checked_at", sa.BigInteger, nullable=False),
        sa.Column("silent_since", sa.BigInteger),
        sa.Column("alert_id", sa.Text),
    )


def downgrade() -> None:
    op.drop_table("detectors_source_health")
    for name in ("expected_silence", "hosts", "peers", "owner"):
        op.drop_column(_SOURCES, name)
