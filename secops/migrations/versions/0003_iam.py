"""The tables of identity and access."""

from __future__ import annotations

revision = "0003_iam"
down_revision = "0002_ledger"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
