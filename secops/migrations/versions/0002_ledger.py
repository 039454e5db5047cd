"""The ledger's tables."""

from __future__ import annotations

revision = "0002_ledger"
down_revision = "0001_kernel"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
