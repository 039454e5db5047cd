"""Requests for certificates, trust anchors of outside CAs and their revocation lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030_certificates"
down_revision = "0029_ecertificates"

_DOCUMENT_KINDS = "('document_root', 'document_signer', 'document_time_stamper')"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    """Add what is kept of certificates; those that stand get the root that issued them."""
    for name in ("issuer_id", "key_digest", "revocation_reason", "requester_id"):
        column = sa.Column(name, sa.Text, nullable=False, server_default="")
        op.add_column("kms_certificates", column)
    for root, among in (("root", "NOT IN"), ("document_root", "IN")):
        op.execute(
            "UPDATE kms_certificates SET issuer_id = COALESCE((SELECT root.id FROM"  # noqa: S608
            f" kms_certificates AS root WHERE root.kind = '{root}'), '')"
            f" WHERE kind {among} {_DOCUMENT_KINDS} AND kind <> '{root}'"
        )
    index = op.create_index
    index("kms_certificates_by_serial", "kms_certificates", ["issuer_id", "serial"], unique=True)
    index("kms_certificates_by_time", "kms_certificates", ["org_id", "issued_at", "id"])
    index("kms_certificates_by_digest", "kms_certificates", ["key_digest"])
    _create_requests()
    _create_anchors()


def _create_requests() -> None:
    op.create_table(
        "kms_certificate_requests",
        sa.Column("id", sa.Text, primary_key=True),
        *map(_text, ("org_id", "profile", "organization", "common_name", "names", "ignored")),
        *map(_text, ("key_algorithm", "key_digest")),
        sa.Column("csr", sa.LargeBinary, nullable=False),
        *map(_text, ("reason", "requester_id")),
        _time("requested_at"),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        *map(_text, ("subject_hash", "state")),
        sa.Column("renews", sa.Text),
        sa.Column("certificate_id", sa.Text),
        sa.Column("encryption_id", sa.Text),
        sa.Column("enveloped_key", sa.LargeBinary, nullable=False),
    )
    columns = ["org_id", "requested_at", "id"]
    op.create_index("kms_certificate_requests_by_time", "kms_certificate_requests", columns)


def _create_anchors() -> None:
    op.create_table(
        "kms_trust_anchors",
        sa.Column("id", sa.Text, primary_key=True),
        _text("org_id"),
        sa.Column("der", sa.LargeBinary, nullable=False),
        *map(_text, ("subject", "fingerprint", "uses")),
        *map(_time, ("not_before", "not_after")),
        *map(_text, ("reason", "requester_id")),
        _time("requested_at"),
        sa.Column("approval_id", sa.Text, nullable=False, unique=True),
        *map(_text, ("subject_hash", "state", "state_reason")),
        sa.Column("state_at", sa.BigInteger),
    )
    columns = ["org_id", "requested_at", "id"]
    op.create_index("kms_trust_anchors_by_time", "kms_trust_anchors", columns)
    op.create_table(
        "kms_outside_lists",
        sa.Column("anchor_id", sa.Text, primary_key=True),
        *map(_text, ("org_id", "number")),
        sa.Column("der", sa.LargeBinary, nullable=False),
        *map(_time, ("this_update", "next_update", "imported_at")),
        _text("imported_by"),
    )


def downgrade() -> None:
    for table in ("kms_outside_lists", "kms_trust_anchors", "kms_certificate_requests"):
        op.drop_table(table)
    for name in ("serial", "time", "digest"):
        op.drop_index(f"kms_certificates_by_{name}", "kms_certificates")
    for name in ("issuer_id", "key_digest", "revocation_reason", "requester_id"):
        op.drop_column("kms_certificates", name)
