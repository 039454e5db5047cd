"""The detectors' tables, a file per family. Times are UTC microseconds; JSON stands in text."""

from __future__ import annotations

from detectors.store.tables.detection import (
    alert_subjects,
    alerts,
    cursors,
    evaluations,
    matches,
    rule_states,
)
from detectors.store.tables.schema import metadata
from detectors.store.tables.sources import log_sources

__all__ = [
    "alert_subjects",
    "alerts",
    "cursors",
    "evaluations",
    "log_sources",
    "matches",
    "metadata",
    "rule_states",
]
