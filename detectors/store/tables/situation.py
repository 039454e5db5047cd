"""Tables of situations: the last one of an organisation, and its figures by day."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, Text

from detectors.store.tables.schema import metadata

situations: Final = Table(
    "detectors_situations",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("said", Text, nullable=False),
)

situation_days: Final = Table(
    "detectors_situation_days",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True),
    Column("figure", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Index("detectors_situation_days_by_day", "day"),
)
