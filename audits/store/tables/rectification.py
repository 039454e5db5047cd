"""Tables of rectification: tasks, waivers, and the history of them and of risks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from audits.store.tables.schema import metadata


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _instant(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


rectification_tasks: Final = Table(
    "audits_rectification_tasks",
    metadata,
    Column("id", Text, primary_key=True),
    _text("org_id"),
    _text("system_id"),
    _text("source"),
    _text("standard"),
    Column("level", Integer, nullable=False),
    _text("subject"),
    _text("object_id"),
    _text("object_name"),
    _text("title_zh"),
    _text("title_en"),
    _text("finding_zh"),
    _text("finding_en"),
    _text("assessment_id"),
    Column("by_person", Boolean, nullable=False),
    Column("high_risk", Boolean, nullable=False),
    _text("state"),
    _text("owner_id"),
    _text("owner_name"),
    _instant("due_at"),
    _text("made_by"),
    _instant("made_at"),
    _text("proof_by"),
    _instant("proof_at"),
    _instant("rechecked_at"),
    _instant("closed_at"),
    _text("closed_by"),
    Column("rounds", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Index("audits_rectification_tasks_by_time", "org_id", "made_at", "id"),
    Index(
        "audits_rectification_tasks_by_finding",
        "org_id",
        "system_id",
        "source",
        "standard",
        "subject",
        "object_id",
        unique=True,
    ),
)
"""One task per finding: a finding that comes again reopens its task."""

rectification_history: Final = Table(
    "audits_rectification_history",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    _instant("at"),
    _text("actor_id"),
    _text("actor_name"),
    _text("deed"),
    _text("state"),
    _text("note"),
    _text("details"),
)
"""What was done to a task, a waiver or a risk; lines are only added. ``details`` is JSON."""

waivers: Final = Table(
    "audits_waivers",
    metadata,
    Column("id", Text, primary_key=True),
    _text("org_id"),
    _text("system_id"),
    _text("standard"),
    _text("item_id"),
    _text("object_id"),
    _text("object_name"),
    _text("reason"),
    _text("requested_by"),
    _text("requested_name"),
    _instant("requested_at"),
    _instant("expires_at"),
    _text("approval_id"),
    _text("digest"),
    _text("state"),
    _text("decided_by"),
    _text("decided_name"),
    _instant("decided_at"),
    _text("decision"),
    Column("version", Integer, nullable=False),
    Index("audits_waivers_by_time", "org_id", "requested_at", "id"),
)
"""Waivers; none is deleted, an expired one is printed too."""
