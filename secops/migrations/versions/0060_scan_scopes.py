"""Scopes of scans that are given up: when, by whom, why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060_scan_scopes"
down_revision = "0059_erasure"


def upgrade() -> None:
    """Add the columns; every scope is in use."""
    op.add_column(
        "audits_scans",
        sa.Column("retired_at", sa.BigInteger, nullable=False, server_default="0"),
    )
    for name in ("retired_by", "retired_reason"):
        op.add_column("audits_scans", sa.Column(name, sa.Text, nullable=False, server_default=""))
