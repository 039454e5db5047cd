"""Tables of OpenPGP exports. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_openpgp_keys: Final = Table(
    "kms_openpgp_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("state", Text, nullable=False),
    Index("kms_openpgp_keys_by_time", "org_id", "created_at", "id"),
)
"""``sealed``: the secret key and its passphrase, under a key of the pool."""

kms_openpgp_partners: Final = Table(
    "kms_openpgp_partners",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("reason", Text, nullable=False),
    Column("approval_id", Text, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Index("kms_openpgp_partners_by_time", "org_id", "requested_at", "id"),
    Index("kms_openpgp_partners_by_name", "org_id", "name"),
)
