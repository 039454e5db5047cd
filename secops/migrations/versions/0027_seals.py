"""The format a seal is written in, how it may be used, and the form in which it was used."""

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
    op.add_column(
        "kms_seal_uses", sa.Column("document_class", sa.Text, nullable=False, server_default="")
    )
    op.create_table(
        "kms_seal_policies",
        sa.Column("seal_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("users", sa.Text, nullable=False),
        sa.Column("document_classes", sa.Text, nullable=False),
        sa.Column("weekdays", sa.Text, nullable=False),
        sa.Column("opens", sa.Integer, nullable=False),
        sa.Column("closes", sa.Integer, nullable=False),
        sa.Column("daily_cap", sa.Integer),
        sa.Column("max_risk", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("kms_seal_policies")
    op.drop_column("kms_seal_uses", "document_class")
    op.drop_column("kms_seal_uses", "form")
    for table in ("kms_seal_applications", "kms_seals"):
        op.drop_column(table, "format_version")
