"""The tables of the detectors."""

from __future__ import annotations

revision = "0005_detectors"
down_revision = "0004_kms"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
