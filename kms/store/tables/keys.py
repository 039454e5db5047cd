"""Tables of the key pool. Times are UTC microseconds; each row has a tag under the root key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_roots: Final = Table(
    "kms_roots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Id 1: the root key, encrypted under the passphrase. Id 2: under a key that only the running
service's processes hold in memory, so that one unlock serves them all."""

kms_keys: Final = Table(
    "kms_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("mount", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("latest_version", Integer, nullable=False),
    Column("min_decryption_version", Integer, nullable=False),
    Column("min_encryption_version", Integer, nullable=False),
    Column("min_available_version", Integer, nullable=False),
    Column("deletion_allowed", Boolean(create_constraint=False), nullable=False),
    Column("exportable", Boolean(create_constraint=False), nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Index("kms_keys_by_name", "org_id", "mount", "name", unique=True),
)

kms_key_versions: Final = Table(
    "kms_key_versions",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("tag", LargeBinary, nullable=False),
)

kms_key_grants: Final = Table(
    "kms_key_grants",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("operations", Text, nullable=False),
    Column("granted_at", BigInteger, nullable=False),
    Column("tag", LargeBinary, nullable=False),
)
"""``operations`` are words with spaces between."""
