"""Tables of requests for certificates, of trust anchors and of their revocation lists."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_certificate_requests: Final = Table(
    "kms_certificate_requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("organization", Text, nullable=False),
    Column("common_name", Text, nullable=False),
    Column("names", Text, nullable=False),
    Column("ignored", Text, nullable=False),
    Column("key_algorithm", Text, nullable=False),
    Column("key_digest", Text, nullable=False),
    Column("csr", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False, unique=True),
    Column("subject_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("renews", Text),
    Column("certificate_id", Text),
    Column("encryption_id", Text),
    Column("enveloped_key", LargeBinary, nullable=False),
    Index("kms_certificate_requests_by_time", "org_id", "requested_at", "id"),
)
"""``names`` and ``ignored`` are JSON lists."""

kms_trust_anchors: Final = Table(
    "kms_trust_anchors",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("subject", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("uses", Text, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requester_id", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("approval_id", Text, nullable=False, unique=True),
    Column("subject_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text, nullable=False),
    Column("state_at", BigInteger),
    Index("kms_trust_anchors_by_time", "org_id", "requested_at", "id"),
)
"""``uses`` is a JSON list. Of one certificate there may be several rows, one of them active."""

kms_outside_lists: Final = Table(
    "kms_outside_lists",
    metadata,
    Column("anchor_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("this_update", BigInteger, nullable=False),
    Column("next_update", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Column("imported_by", Text, nullable=False),
)
"""``number`` is 40 hex digits: a CRL number has up to 20 bytes, and texts compare like it."""
