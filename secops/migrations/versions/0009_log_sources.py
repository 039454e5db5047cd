"""Log sources: owner, expected silence, mask policy; positions of live listeners."""

from __future__ import annotations

revision = "0009_log_sources"
down_revision = "0008_correlations"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
