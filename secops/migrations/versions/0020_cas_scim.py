"""Service tickets and provisioned resources."""

from __future__ import annotations

revision = "0020_cas_scim"
down_revision = "0019_people"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
