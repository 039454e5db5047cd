"""The detectors' tables, a file per family. Times are UTC microseconds; JSON stands in text."""

from __future__ import annotations

from detectors.store.tables.anomalies import anomaly_progress, login_judgements, models
from detectors.store.tables.bulk_actions import bulk_actions, bulk_items, bulk_subjects
from detectors.store.tables.correlation import (
    correlation_counts,
    correlation_groups,
    inner_episodes,
    sightings,
)
from detectors.store.tables.detection import (
    alert_subjects,
    alerts,
    cursors,
    evaluations,
    matches,
    rule_states,
)
from detectors.store.tables.privacy import originals, source_policies
from detectors.store.tables.queue import alert_deadlines, alert_views
from detectors.store.tables.rule_folders import rule_folders
from detectors.store.tables.schedule import (
    alert_hits,
    alert_versions,
    gaps,
    logsource_feeds,
    rule_health,
    seen_fields,
    watermarks,
)
from detectors.store.tables.schema import metadata
from detectors.store.tables.situation import situation_days, situations
from detectors.store.tables.sources import log_sources, source_health
from detectors.store.tables.triage import (
    criticalities,
    exceptions,
    risk_points,
    risks,
    suppressed_groups,
    suppressions,
)

__all__ = [
    "alert_deadlines",
    "alert_hits",
    "alert_subjects",
    "alert_versions",
    "alert_views",
    "alerts",
    "anomaly_progress",
    "bulk_actions",
    "bulk_items",
    "bulk_subjects",
    "correlation_counts",
    "correlation_groups",
    "criticalities",
    "cursors",
    "evaluations",
    "exceptions",
    "gaps",
    "inner_episodes",
    "log_sources",
    "login_judgements",
    "logsource_feeds",
    "matches",
    "metadata",
    "models",
    "originals",
    "risk_points",
    "risks",
    "rule_folders",
    "rule_health",
    "rule_states",
    "seen_fields",
    "sightings",
    "situation_days",
    "situations",
    "source_health",
    "source_policies",
    "suppressed_groups",
    "suppressions",
    "watermarks",
]
