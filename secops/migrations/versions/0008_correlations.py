"""Correlations: what their windows, first sightings and absences keep."""

from __future__ import annotations

revision = "0008_correlations"
down_revision = "0007_audits"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
