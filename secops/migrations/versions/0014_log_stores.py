"""Log stores: what the adapters of log stores keep in the database."""

from __future__ import annotations

revision = "0014_log_stores"
down_revision = "0013_masking"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
