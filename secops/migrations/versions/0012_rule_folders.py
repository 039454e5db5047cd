"""Rule folders that were imported, with their licence."""

from __future__ import annotations

revision = "0012_rule_folders"
down_revision = "0011_anomalies"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
