"""Tables of limits and quotas. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from kms.store.tables.metadata import metadata

kms_key_limits: Final = Table(
    "kms_key_limits",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("not_before", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("max_uses", BigInteger, nullable=True),
    Column("clients", Text, nullable=False),
    Column("max_risk", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("tag", LargeBinary, nullable=False),
)
"""``clients`` is a JSON list. The key's own row names the version, so none can be taken away."""

kms_quotas: Final = Table(
    "kms_quotas",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("keys", BigInteger, nullable=True),
    Column("versions", BigInteger, nullable=True),
    Column("daily_operations", BigInteger, nullable=True),
    Column("version", Integer, nullable=False),
    Column("tag", LargeBinary, nullable=False),
)

kms_use_counters: Final = Table(
    "kms_use_counters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("period", BigInteger, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("leased", BigInteger, nullable=False),
)
"""``leased`` uses count as used; ``period`` is 0 for ever, else the number of a day."""
