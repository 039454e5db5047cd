"""Pushed requests, proofs, assertions, devices and logout notices."""

from __future__ import annotations

revision = "0015_provider"
down_revision = "0014_stored_scans"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
