"""Anomalies: profiles, models and their cards."""

from __future__ import annotations

revision = "0011_anomalies"
down_revision = "0010_schedule"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
