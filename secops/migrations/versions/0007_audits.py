"""The tables of the audits plane."""

from __future__ import annotations

revision = "0007_audits"
down_revision = "0006_playbooks"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
