"""Identity providers upstream and what they say of people."""

from __future__ import annotations

revision = "0016_upstream"
down_revision = "0015_provider"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
