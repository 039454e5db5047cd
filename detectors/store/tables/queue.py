"""Saved views of the queue, and how soon alerts are to be taken up and closed."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, UniqueConstraint

from detectors.store.tables.schema import metadata

alert_views: Final = Table(
    "detectors_alert_views",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("account_id", "name", name="detectors_alert_views_of_account"),
)

alert_deadlines: Final = Table(
    "detectors_alert_deadlines",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("severity", Text, primary_key=True),
    Column("acknowledge", BigInteger, nullable=False),
    Column("resolve", BigInteger, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", BigInteger, nullable=False),
)
