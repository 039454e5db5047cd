"""The schedule: cursors, gaps, suppression, exceptions, risk of entities."""

from __future__ import annotations

revision = "0010_schedule"
down_revision = "0009_log_sources"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
