"""Tables of the key pool. Times are UTC microseconds; each row has a tag under the root key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    true,
)

from kms.store.tables.metadata import metadata

_FLAG: Final = Boolean(create_constraint=False)

kms_roots: Final = Table(
    "kms_roots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Id 1: the root key, encrypted under the passphrase or the shared secret. Id 2: under a key that
only the running service's processes hold in memory, so that one unlock serves them all. Id 3: the
shares given so far, under the same kind of key, since ``created_at``."""

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
    Column("derived", _FLAG, nullable=False, server_default=false()),
    Column("convergent_encryption", _FLAG, nullable=False, server_default=false()),
    Column("allow_plaintext_backup", _FLAG, nullable=False, server_default=false()),
    Column("imported", _FLAG, nullable=False, server_default=false()),
    Column("allow_rotation", _FLAG, nullable=False, server_default=true()),
    Column("auto_rotate_period", BigInteger, nullable=False, server_default="0"),
    Column("next_rotation_at", BigInteger, nullable=False, server_default="0"),
    Column("destroy_at", BigInteger, nullable=False, server_default="0"),
    Column("limits_version", Integer, nullable=False, server_default="0"),
    Column("backend", Text, nullable=False, server_default="software"),
    Index("kms_keys_by_name", "org_id", "mount", "name", unique=True),
    Index("kms_keys_by_rotation", "next_rotation_at"),
    Index("kms_keys_by_destruction", "destroy_at"),
)
"""``mount`` is the id of a row of ``kms_mounts``, or ``transit`` or ``system``."""

kms_mounts: Final = Table(
    "kms_mounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger, nullable=False),
    Column("tag", LargeBinary, nullable=False),
    Index("kms_mounts_by_path", "org_id", "path", "retired_at", unique=True),
)
"""``retired_at`` 0 is in use: so a path has one mount in use, and any number before it."""

kms_key_destructions: Final = Table(
    "kms_key_destructions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("key_name", Text, nullable=False),
    Column("mount", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("delay_days", Integer, nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Index("kms_key_destructions_by_time", "org_id", "requested_at", "id"),
)
"""``id`` is the approval's; ``change`` what is asked for in JSON, to whose digest it is bound."""

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
    Column("backend", Text, nullable=False, server_default="software"),
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
    Index("kms_key_grants_by_subject", "subject", "key_id"),
)
"""``operations`` are words with spaces between."""
