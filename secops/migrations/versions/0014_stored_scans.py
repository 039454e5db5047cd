"""Stored scans and alerts."""

from __future__ import annotations

revision = "0014_stored_scans"
down_revision = "0013_masking"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
