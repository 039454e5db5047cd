"""Use cases of the detectors plane, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command over files alone needs none of them
    from detectors.service.anomaly.anomalies import AnomalyWatch
    from detectors.service.anomaly.login_risk import LoginRiskService
    from detectors.service.anomaly.models import ModelService
    from detectors.service.correlation.correlations import CorrelationService
    from detectors.service.logs.listening import ListeningService
    from detectors.service.logs.log_integrity import LogIntegrity
    from detectors.service.logs.log_search import LogSearch
    from detectors.service.logs.logs import LogService
    from detectors.service.logs.privacy import PrivacyService
    from detectors.service.logs.shipping import ShippingService
    from detectors.service.logs.sources import Follower, SourceService
    from detectors.service.logs.tracing import TracingService
    from detectors.service.rules.exception_previews import ExceptionPreviews
    from detectors.service.rules.exceptions import ExceptionService
    from detectors.service.rules.forecast import ForecastService
    from detectors.service.rules.rule_folders import RuleFolderService
    from detectors.service.rules.rule_reports import RuleReports
    from detectors.service.rules.rule_trials import RuleTrialService
    from detectors.service.rules.rules import RuleService
    from detectors.service.runs.coverage import CoverageService
    from detectors.service.runs.runs import RunService
    from detectors.service.situation.situations import SituationService
    from detectors.service.triage.alert_page import AlertPageService
    from detectors.service.triage.alert_views import AlertDeadlineService, AlertViewService
    from detectors.service.triage.alerts import AlertService
    from detectors.service.triage.bulk_actions import BulkActionService
    from detectors.service.triage.bulk_runner import BulkRunner
    from detectors.service.triage.drills import DrillAlertService
    from detectors.service.triage.entities import EntityService
    from detectors.service.triage.handling import AlertHandlingService
    from detectors.service.triage.queue import AlertQueueService
    from detectors.service.triage.replaying import ReplayService
    from detectors.service.triage.suppression import SuppressionService
    from detectors.service.watching.source_watch import SourceWatch


__all__ = ["DetectorsServices"]


@dataclass(frozen=True, slots=True)
class DetectorsServices:
    """Logs first, then what is found in them."""

    logs: LogService
    search: LogSearch
    integrity: LogIntegrity
    sources: SourceService
    follower: Follower
    source_watch: SourceWatch
    shipping: ShippingService
    listening: ListeningService
    privacy: PrivacyService
    tracing: TracingService
    rules: RuleService
    rule_folders: RuleFolderService
    trials: RuleTrialService
    coverage: CoverageService
    runs: RunService
    correlations: CorrelationService
    alerts: AlertService
    queue: AlertQueueService
    handling: AlertHandlingService
    alert_views: AlertViewService
    drills: DrillAlertService
    alert_deadlines: AlertDeadlineService
    alert_pages: AlertPageService
    replays: ReplayService
    bulk_actions: BulkActionService
    bulk_runner: BulkRunner
    models: ModelService
    login_risk: LoginRiskService
    anomalies: AnomalyWatch
    reports: RuleReports
    forecasts: ForecastService
    exceptions: ExceptionService
    exception_previews: ExceptionPreviews
    suppressions: SuppressionService
    entities: EntityService
    situations: SituationService
