"""E-certificates (电子证照): templates, serial numbers, what was issued, and batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029_ecertificates"
down_revision = "0035_key_lifecycle"


def _templates() -> None:
    op.create_table(
        "kms_ecertificate_templates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("type_code", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wish", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        sa.Column("subject_hash", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text, nullable=False),
        sa.Column("state_at", sa.BigInteger),
    )
    op.create_index(
        "kms_ecertificate_templates_by_time",
        "kms_ecertificate_templates",
        ["org_id", "created_at", "id"],
    )
    op.create_index(
        "kms_ecertificate_templates_by_type",
        "kms_ecertificate_templates",
        ["org_id", "type_code", "version"],
        unique=True,
    )


def _serials() -> None:
    op.create_table(
        "kms_ecertificate_serials",
        sa.Column("type_code", sa.Text, primary_key=True),
        sa.Column("authority_code", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )


def _issued() -> None:
    op.create_table(
        "kms_ecertificates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("template_id", sa.Text, nullable=False),
        sa.Column("type_code", sa.Text, nullable=False),
        sa.Column("authority_code", sa.Text, nullable=False),
        sa.Column("type_name", sa.Text, nullable=False),
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("identifier", sa.Text, nullable=False, unique=True),
        sa.Column("holder_masked", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("issued_by", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("blob", sa.Text, nullable=False),
        sa.Column("seal_id", sa.Text, nullable=False),
        sa.Column("use_id", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text, nullable=False),
        sa.Column("state_at", sa.BigInteger),
        sa.Column("replaces", sa.Text, unique=True),
        sa.Column("batch_id", sa.Text),
    )
    op.create_index("kms_ecertificates_by_batch", "kms_ecertificates", ["batch_id", "id"])
    op.create_index(
        "kms_ecertificates_by_number",
        "kms_ecertificates",
        ["type_code", "authority_code", "number", "version"],
        unique=True,
    )
    op.create_index("kms_ecertificates_by_time", "kms_ecertificates", ["org_id", "issued_at", "id"])


def _batches() -> None:
    op.create_table(
        "kms_ecertificate_batches",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("template_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ordered", sa.Text, nullable=False),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("ordered_at", sa.BigInteger, nullable=False),
        sa.Column("is_open", sa.Integer, nullable=False),
    )
    op.create_index(
        "kms_ecertificate_batches_by_time",
        "kms_ecertificate_batches",
        ["org_id", "ordered_at", "id"],
    )
    op.create_index(
        "kms_ecertificate_batches_open", "kms_ecertificate_batches", ["is_open", "ordered_at", "id"]
    )


def _rows() -> None:
    op.create_table(
        "kms_ecertificate_rows",
        sa.Column("batch_id", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("holder_masked", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("certificate_id", sa.Text),
        sa.Column("error", sa.Text, nullable=False),
    )
    op.create_index(
        "kms_ecertificate_rows_by_state", "kms_ecertificate_rows", ["batch_id", "state", "n"]
    )


def upgrade() -> None:
    """Make the tables; nothing stood before."""
    _templates()
    _serials()
    _issued()
    _batches()
    _rows()


def downgrade() -> None:
    for table in (
        "kms_ecertificate_rows",
        "kms_ecertificate_batches",
        "kms_ecertificates",
        "kms_ecertificate_serials",
        "kms_ecertificate_templates",
    ):
        op.drop_table(table)
