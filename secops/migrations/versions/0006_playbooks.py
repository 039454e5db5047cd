"""The tables of incidents and playbooks."""

from __future__ import annotations

revision = "0006_playbooks"
down_revision = "0005_detectors"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
