"""The tables of the key pool and seals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_kms"
down_revision = "0003_iam"


def upgrade() -> None:
    _create_pool()
    _create_authority()
    _create_seals()


def _create_pool() -> None:
    op.create_table(
        "kms_roots",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "kms_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("mount", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("latest_version", sa.Integer, nullable=False),
        sa.Column("min_decryption_version", sa.Integer, nullable=False),
        sa.Column("min_encryption_version", sa.Integer, nullable=False),
        sa.Column("min_available_version", sa.Integer, nullable=False),
        sa.Column("deletion_allowed", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("exportable", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )
    op.create_index("kms_keys_by_name", "kms_keys", ["org_id", "mount", "name"], unique=True)
    op.create_table(
        "kms_key_versions",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "kms_key_grants",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("operations", sa.Text, nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
    )


def _create_authority() -> None:
    op.create_table(
        "kms_certificates",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key_name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("serial", sa.Text, nullable=False),
        sa.Column("der", sa.LargeBinary, nullable=False),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_index(
        "kms_certificates_by_key", "kms_certificates", ["kind", "key_name"], unique=True
    )


def _create_seals() -> None:
    op.create_table(
        "kms_seal_applications",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("organization", sa.Text, nullable=False),
        sa.Column("holders", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("applicant_id", sa.Text, nullable=False),
        sa.Column("applied_at", sa.BigInteger, nullable=False),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        sa.Column("subject_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("seal_id", sa.Text),
    )
    op.create_index(
        "kms_seal_applications_by_time", "kms_seal_applications", ["org_id", "applied_at", "id"]
    )
    op.create_table(
        "kms_seals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("es_id", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("shape", sa.Text, nullable=False),
        sa.Column("application_id", sa.Text, nullable=False, unique=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("valid_from", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("state_reason", sa.Text, nullable=False),
        sa.Column("state_at", sa.BigInteger),
        sa.Column("marking", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("kms_seals_by_time", "kms_seals", ["org_id", "made_at", "id"])
    op.create_table(
        "kms_seal_holders",
        sa.Column("seal_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("certificate_id", sa.Text, nullable=False),
    )
    op.create_table(
        "kms_seal_uses",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org_id", sa.Text, nullable=False),
        sa.Column("seal_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("value_digest", sa.Text, nullable=False),
    )
    op.create_index("kms_seal_uses_by_time", "kms_seal_uses", ["seal_id", "used_at", "id"])


def downgrade() -> None:
    for name in (
        "kms_seal_uses",
        "kms_seal_holders",
        "kms_seals",
        "kms_seal_applications",
        "kms_certificates",
        "kms_key_grants",
        "kms_key_versions",
        "kms_keys",
        "kms_roots",
    ):
        op.drop_table(name)
