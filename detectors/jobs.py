"""What the scheduler repeats for this plane."""

from __future__ import annotations

from collections.abc import Callable

from detectors.ports import SegmentWriter
from detectors.service.anomaly.anomalies import AnomalyWatch
from detectors.service.anomaly.model_training import TrainingService
from detectors.service.correlation.correlations import CorrelationService
from detectors.service.logs.sources import Follower
from detectors.service.rules.rule_reports import RuleReports
from detectors.service.runs.runs import RunService
from detectors.service.triage.entities import EntityService
from secops.kernel.jobs import Job

EVERY_SECONDS = 0.25
REPORT_SECONDS = 60.0
FORGET_SECONDS = 3_600.0
TRAIN_SECONDS = 60.0
WATCH_SECONDS = 5.0
BULK_SECONDS = 0.5


def detection_jobs(runs: RunService, retention_days: int) -> tuple[Job, ...]:
    """Return the detectors' tick (one bounded step over what is new) and the retention."""

    def forget() -> bool:
        runs.forget_matches(retention_days)
        return False

    return (
        Job("detectors.run", EVERY_SECONDS, runs.tick),
        Job("detectors.forget", FORGET_SECONDS, forget),
    )


def triage_jobs(
    reports: RuleReports, correlations: CorrelationService, entities: EntityService
) -> tuple[Job, ...]:
    """Return the looks at how rules and correlations fare, and the fading of risks."""
    return (
        Job("detectors.watch_rules", REPORT_SECONDS, reports.look),
        Job("detectors.watch_correlations", REPORT_SECONDS, correlations.look),
        Job("detectors.fade_risks", REPORT_SECONDS, entities.fade_risks),
    )


def log_jobs(
    writer: SegmentWriter, follower: Follower, retain: Callable[[], None]
) -> tuple[Job, ...]:
    """Return the segment writer, the followed files, and the retention."""

    def apply_retention() -> bool:
        retain()
        return False

    return (
        Job("detectors.store_logs", 0.25, writer.drain),
        Job("detectors.follow_logs", 1.0, follower.follow_all),
        Job("detectors.log_retention", 3_600.0, apply_retention),
    )


def anomaly_jobs(watch: AnomalyWatch, training: TrainingService) -> tuple[Job, ...]:
    """Return the watch over new events, the look whether a model is due, and old models' end."""
    return (
        Job("detectors.watch_anomalies", WATCH_SECONDS, watch.tick),
        Job("detectors.train_models", TRAIN_SECONDS, training.tick),
        Job("detectors.forget_models", FORGET_SECONDS, training.vault.forget_retired),
    )
