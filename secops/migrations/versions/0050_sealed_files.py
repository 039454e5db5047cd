"""Evidence and proofs lie encrypted: rows name the blob, no longer the content's digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050_sealed_files"
down_revision = "0049_situation"

TABLES = ("playbooks_evidence", "playbooks_notice_proofs")


def upgrade() -> None:
    """Add the columns."""
    for table in TABLES:
        op.add_column(table, sa.Column("blob", sa.Text, nullable=False, server_default=""))
