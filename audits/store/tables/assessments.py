"""Tables of assessments, of what persons entered, and of how items stood over time."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from audits.store.tables.schema import metadata

assessment_entries: Final = Table(
    "assessment_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence_digest", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("object_id", Text, nullable=False, server_default=""),
    Index("assessment_entries_by_item", "org_id", "system_id", "item_id", "at"),
)
"""What named persons entered; a later entry replaces an earlier one, none is deleted."""

assessment_answers: Final = Table(
    "assessment_answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("answers", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("assessment_answers_by_subject", "org_id", "system_id", "standard", "at"),
)
"""Answers of named persons on high-risk cases, major triggers and units; none is deleted."""

assessments: Final = Table(
    "assessments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("judged", Integer, nullable=False),
    Column("applicable", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("counts", Text, nullable=False, server_default="{}"),
    Index("assessments_by_time", "org_id", "made_at"),
    Index("assessments_by_system", "org_id", "system_id", "standard", "level", "made_at"),
)
"""Assessments as made: ``document`` is the canonical JSON that a report renders."""

assessment_schedules: Final = Table(
    "assessment_schedules",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("hours", Integer, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("last_id", Text, nullable=False),
    Column("failed", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("assessment_schedules_once", "org_id", "system_id", "standard", "level", unique=True),
    Index("assessment_schedules_due", "next_at"),
)
"""Which assessments are made again, how often, with whose rights."""

control_states: Final = Table(
    "control_states",
    metadata,
    Column("org_id", Text, primary_key=True),
    Column("system_id", Text, primary_key=True),
    Column("standard", Text, primary_key=True),
    Column("level", Integer, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("drifted_from", Text),
)
"""How each item stood when it was last looked at."""

control_changes: Final = Table(
    "control_changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("standard", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Index("control_changes_by_item", "org_id", "system_id", "standard", "item_id", "at", "id"),
)
"""The history of each item; none is changed or deleted."""
