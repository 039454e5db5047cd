"""The format a seal is written in, and the form in which it was used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027_seals"
down_revision = "0023_consents"


def upgrade() -> None:
    """Seals that stood before are v4, and were used beside the document."""
    for table in ("kms_seal_applications", "kms_seals"):
        column = sa.Column("format_version", sa.Integer, nullable=False, server_default="4")
        op.add_column(table, column)
    op.add_column(
        "kms_seal_uses", sa.Column("form", sa.Text, nullable=False, server_default="detached")
    )


def downgrade() -> None:
    op.drop_column("kms_seal_uses", "form")
    for table in ("kms_seal_applications", "kms_seals"):
        op.drop_column(table, "format_version")
