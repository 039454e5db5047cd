"""Receipts, approvals of single uses, pictures and codes of seals, and where a seal lives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032_single_uses"
down_revision = "0028_client_demands"


def _columns() -> list[tuple[str, sa.Column[object]]]:
    def text(name: str, default: str = "") -> sa.Column[object]:
        return sa.Column(name, sa.Text, nullable=False, server_default=default)

    return [
        ("kms_seal_applications", text("code")),
        ("kms_seal_applications", sa.Column("picture", sa.LargeBinary)),
        ("kms_seal_applications", text("origin", "local")),
        ("kms_seal_applications", text("remote_reference")),
        ("kms_seals", text("origin", "local")),
        ("kms_seals", text("remote_reference")),
        ("kms_seals", sa.Column("destroy_approval", sa.Text)),
        ("kms_seal_policies", text("approval", "none")),
        ("kms_seal_uses", text("leaf_hash")),
        ("kms_seal_uses", text("request_id")),
    ]


def upgrade() -> None:
    """Add columns that leave what stands as it was, and the table of requests."""
    for table, column in _columns():
        op.add_column(table, column)
    op.create_table(
        "kms_seal_use_requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("seal_id", sa.Text, nullable=False),
        sa.Column("requester_id", sa.Text, nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("file_name", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("stamping", sa.Text, nullable=False),
        sa.Column("document_class", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("requested_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        sa.Column("subject_hash", sa.Text, nullable=False),
        sa.Column("use_id", sa.Text, nullable=False),
    )
    op.create_index(
        "kms_seal_use_requests_by_time", "kms_seal_use_requests", ["org_id", "requested_at", "id"]
    )
    op.create_index(
        "kms_seal_use_requests_kept", "kms_seal_use_requests", ["document", "expires_at"]
    )


def downgrade() -> None:
    op.drop_table("kms_seal_use_requests")
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name)
