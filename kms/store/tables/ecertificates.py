"""Tables of e-certificates (电子证照). Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_ecertificate_templates: Final = Table(
    "kms_ecertificate_templates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wish", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False, unique=True),
    Column("subject_hash", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_at", BigInteger),
    Index("kms_ecertificate_templates_by_type", "org_id", "type_code", "version", unique=True),
    Index("kms_ecertificate_templates_by_time", "org_id", "created_at", "id"),
)
"""``wish`` is the template itself as JSON."""

kms_ecertificate_serials: Final = Table(
    "kms_ecertificate_serials",
    metadata,
    Column("type_code", Text, primary_key=True),
    Column("authority_code", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("last", BigInteger, nullable=False),
)
"""The last serial number given out for a type and authority."""

kms_ecertificates: Final = Table(
    "kms_ecertificates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("template_id", Text, nullable=False),
    Column("type_code", Text, nullable=False),
    Column("authority_code", Text, nullable=False),
    Column("type_name", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("serial", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("identifier", Text, nullable=False, unique=True),
    Column("holder_masked", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_until", BigInteger),
    Column("issued_at", BigInteger, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("blob", Text, nullable=False),
    Column("seal_id", Text, nullable=False),
    Column("use_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_at", BigInteger),
    Column("replaces", Text, unique=True),
    Column("batch_id", Text),
    Index(
        "kms_ecertificates_by_number",
        "type_code",
        "authority_code",
        "number",
        "version",
        unique=True,
    ),
    Index("kms_ecertificates_by_time", "org_id", "issued_at", "id"),
    Index("kms_ecertificates_by_batch", "batch_id", "id"),
)
"""``sealed`` holds the holder's data and the link's token under a key of the pool."""

kms_ecertificate_batches: Final = Table(
    "kms_ecertificate_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("template_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("ordered", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_at", BigInteger, nullable=False),
    Column("is_open", Integer, nullable=False),
    Index("kms_ecertificate_batches_by_time", "org_id", "ordered_at", "id"),
    Index("kms_ecertificate_batches_open", "is_open", "ordered_at", "id"),
)
"""Orders to issue many; state and progress are the kernel's task of the same ``id``."""

kms_ecertificate_rows: Final = Table(
    "kms_ecertificate_rows",
    metadata,
    Column("batch_id", Text, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("serial", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("holder_masked", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("certificate_id", Text),
    Column("error", Text, nullable=False),
    Index("kms_ecertificate_rows_by_state", "batch_id", "state", "n"),
)
