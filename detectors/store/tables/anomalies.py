"""Models with their cards, people's words on sign-ins, how far was watched."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Table, Text

from detectors.store.tables.schema import metadata

models: Final = Table(
    "detectors_models",
    metadata,
    Column("id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("signatures", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("drift", Text, nullable=False),
    Index("detectors_models_by_kind", "kind", "state", "made_at"),
)

login_judgements: Final = Table(
    "detectors_login_judgements",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("org_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("judged_by", Text, nullable=False),
    Column("judged_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

anomaly_progress: Final = Table(
    "detectors_anomaly_progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_seq", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
