"""Bulk actions and the alerts they wrote, each with what it said before."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from detectors.store.tables.schema import metadata

bulk_actions: Final = Table(
    "detectors_bulk_actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("snapshot", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("ordered", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ordered_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("undoes", Text),
    Column("undone_by", Text),
    Column("last_at", BigInteger),
    Column("last_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("written", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    Column("ending", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("assignee", Text),
    Index("detectors_bulk_actions_by_org", "org_id", "created_at", "id"),
    Index("detectors_bulk_actions_by_state", "state", "ordered_at"),
)

bulk_items: Final = Table(
    "detectors_bulk_items",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("alert_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("result", Text, nullable=False),
    Column("before", Text, nullable=False),
    Index("detectors_bulk_items_by_place", "action_id", "place"),
)

bulk_subjects: Final = Table(
    "detectors_bulk_subjects",
    metadata,
    Column("action_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
)
"""Whose risk has to follow what a bulk action wrote; gone when it has."""
