"""The tables of the key pool and seals."""

from __future__ import annotations

revision = "0004_kms"
down_revision = "0003_iam"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
