"""Tables of seals and of the built-in test CA. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_certificates: Final = Table(
    "kms_certificates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("issuer_id", Text, nullable=False, server_default=""),
    Column("key_digest", Text, nullable=False, server_default=""),
    Column("revocation_reason", Text, nullable=False, server_default=""),
    Column("requester_id", Text, nullable=False, server_default=""),
    Index("kms_certificates_by_key", "kind", "key_name", unique=True),
    Index("kms_certificates_by_serial", "issuer_id", "serial", unique=True),
    Index("kms_certificates_by_time", "org_id", "issued_at", "id"),
    Index("kms_certificates_by_digest", "key_digest"),
)
"""Certificates issued or imported; one for each kind and key, and one for each serial."""

kms_seal_applications: Final = Table(
    "kms_seal_applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("holders", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("applicant_id", Text, nullable=False),
    Column("applied_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False, unique=True),
    Column("subject_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("seal_id", Text),
    Column("format_version", Integer, nullable=False, server_default="4"),
    Column("code", Text, nullable=False, server_default=""),
    Column("picture", LargeBinary),
    Column("origin", Text, nullable=False, server_default="local"),
    Column("remote_reference", Text, nullable=False, server_default=""),
    Index("kms_seal_applications_by_time", "org_id", "applied_at", "id"),
)
"""``holders`` is a JSON list of {account_id, name}."""

kms_seals: Final = Table(
    "kms_seals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("es_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("application_id", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_at", BigInteger),
    Column("marking", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("format_version", Integer, nullable=False, server_default="4"),
    Column("origin", Text, nullable=False, server_default="local"),
    Column("remote_reference", Text, nullable=False, server_default=""),
    Column("destroy_approval", Text),
    Index("kms_seals_by_time", "org_id", "made_at", "id"),
)
"""``content`` is the SESeal in DER, ``digest`` its SM3."""

kms_seal_holders: Final = Table(
    "kms_seal_holders",
    metadata,
    Column("seal_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("certificate_id", Text, nullable=False),
)

kms_seal_policies: Final = Table(
    "kms_seal_policies",
    metadata,
    Column("seal_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("users", Text, nullable=False),
    Column("document_classes", Text, nullable=False),
    Column("weekdays", Text, nullable=False),
    Column("opens", Integer, nullable=False),
    Column("closes", Integer, nullable=False),
    Column("daily_cap", Integer),
    Column("max_risk", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("approval", Text, nullable=False, server_default="none"),
)
"""``users``, ``document_classes`` and ``weekdays`` are JSON lists; times minutes of a day."""

kms_seal_uses: Final = Table(
    "kms_seal_uses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("seal_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("value_digest", Text, nullable=False),
    Column("form", Text, nullable=False, server_default="detached"),
    Column("document_class", Text, nullable=False, server_default=""),
    Column("leaf_hash", Text, nullable=False, server_default=""),
    Column("request_id", Text, nullable=False, server_default=""),
    Index("kms_seal_uses_by_time", "seal_id", "used_at", "id"),
)
"""The usage ledger: one row for each value that was given out."""

kms_seal_use_requests: Final = Table(
    "kms_seal_use_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("seal_id", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("stamping", Text, nullable=False),
    Column("document_class", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False, unique=True),
    Column("subject_hash", Text, nullable=False),
    Column("use_id", Text, nullable=False),
    Index("kms_seal_use_requests_by_time", "org_id", "requested_at", "id"),
    Index("kms_seal_use_requests_kept", "document", "expires_at"),
)
"""``stamping`` is JSON; ``document`` the blob of the kept file, empty where none is kept."""
