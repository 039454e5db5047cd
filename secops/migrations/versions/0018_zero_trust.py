"""Decisions, policy versions, locks, devices."""

from __future__ import annotations

revision = "0018_zero_trust"
down_revision = "0017_factors"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
