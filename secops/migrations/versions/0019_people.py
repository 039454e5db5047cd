"""Organisations, mandates, change requests, privileges with an end."""

from __future__ import annotations

revision = "0019_people"
down_revision = "0018_zero_trust"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
