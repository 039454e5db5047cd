"""Masked values, their originals under a pool key, and reveals."""

from __future__ import annotations

revision = "0013_masking"
down_revision = "0012_rule_folders"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
