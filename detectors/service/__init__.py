"""Use cases of the detectors plane, and the one object that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command over files alone needs none of them
    from detectors.service.alerts import AlertService
    from detectors.service.anomalies import AnomalyWatch
    from detectors.service.correlations import CorrelationService
    from detectors.service.coverage import CoverageService
    from detectors.service.entities import EntityService
    from detectors.service.exceptions import ExceptionService
    from detectors.service.forecast import ForecastService
    from detectors.service.listening import ListeningService
    from detectors.service.log_integrity import LogIntegrity
    from detectors.service.log_search import LogSearch
    from detectors.service.login_risk import LoginRiskService
    from detectors.service.logs import LogService
    from detectors.service.models import ModelService
    from detectors.service.privacy import PrivacyService
    from detectors.service.rule_folders import RuleFolderService
    from detectors.service.rule_reports import RuleReports
    from detectors.service.rule_trials import RuleTrialService
    from detectors.service.rules import RuleService
    from detectors.service.runs import RunService
    from detectors.service.shipping import ShippingService
    from detectors.service.source_watch import SourceWatch
    from detectors.service.sources import Follower, SourceService
    from detectors.service.suppression import SuppressionService
    from detectors.service.tracing import TracingService


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
    models: ModelService
    login_risk: LoginRiskService
    anomalies: AnomalyWatch
    reports: RuleReports
    forecasts: ForecastService
    exceptions: ExceptionService
    suppressions: SuppressionService
    entities: EntityService
