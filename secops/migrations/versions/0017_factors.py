"""Passkeys, certificates, one-time codes, recovery."""

from __future__ import annotations

revision = "0017_factors"
down_revision = "0016_upstream"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
