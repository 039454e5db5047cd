"""Rule folders that were imported, with their licence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012_rule_folders"
down_revision = "0011_anomalies"

_FOLDERS = "detectors_rule_folders"


def upgrade() -> None:
    op.create_table(
        _FOLDERS,
        sa.Column("org_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("licence", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("statuses", sa.Text, nullable=False),
        sa.Column("levels", sa.Text, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table(_FOLDERS)
