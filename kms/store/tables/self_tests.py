"""The table of self-tests of engines. Times are UTC microseconds."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from kms.store.tables.metadata import metadata

kms_self_tests: Final = Table(
    "kms_self_tests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("process", Text, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("defects", Text, nullable=False),
    Index("kms_self_tests_by_time", "at", "id"),
)
"""``passed`` counts engines; ``defects`` is a JSON object of engine and what was wrong."""
