"""Wires the plane: the log store, the rules, the runs and the alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from detectors.adapters.data_classes import InstalledDataClasses
from detectors.adapters.elastic.build import Hearers, Judgement
from detectors.adapters.forest_trainer import SklearnForests
from detectors.adapters.listeners.notes import LocalListenerNotes
from detectors.adapters.listeners.syslog import SyslogListeners
from detectors.adapters.log_files import LocalLogFiles, LocalRejects
from detectors.adapters.log_store import OpenedLogStore, Surroundings, open_log_store
from detectors.adapters.network_file import NetworkFile
from detectors.adapters.ownlog import forget_before, own_sources
from detectors.adapters.packaged_rules import InstalledRules
from detectors.adapters.rule_folders import LocalRuleFolders
from detectors.adapters.tails import LocalTails
from detectors.api import routes
from detectors.core.anchors import indexing
from detectors.core.query import evaluator
from detectors.core.rfc6587.framing import FrameCutter
from detectors.jobs import BULK_SECONDS, anomaly_jobs, detection_jobs, log_jobs, triage_jobs
from detectors.models import DetectorsOptions
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.anomaly.anomalies import AnomalyWatch
from detectors.service.anomaly.login_risk import LoginRiskService
from detectors.service.anomaly.model_training import TrainingService
from detectors.service.anomaly.model_vault import ModelVault
from detectors.service.anomaly.models import ModelService
from detectors.service.correlation.correlations import CorrelationService
from detectors.service.logs.listening import ListeningService, SyslogIntake
from detectors.service.logs.log_integrity import CLOSE_SEGMENT, LogIntegrity
from detectors.service.logs.log_search import LogSearch
from detectors.service.logs.log_settings import zone_of
from detectors.service.logs.logs import LogService
from detectors.service.logs.privacy import PrivacyService, Recognition
from detectors.service.logs.shipping import ShippingService
from detectors.service.logs.sources import Follower, SourceService
from detectors.service.logs.tracing import TracingService
from detectors.service.rules.exception_previews import ExceptionPreviews
from detectors.service.rules.exceptions import ExceptionService
from detectors.service.rules.forecast import ForecastService
from detectors.service.rules.rule_folders import ForeignRules, RuleFolderService
from detectors.service.rules.rule_reports import ReportStores, RuleReports
from detectors.service.rules.rule_trials import RuleTrialService
from detectors.service.rules.rules import RuleService
from detectors.service.rules.standing import RuleStandings
from detectors.service.runs.coverage import CoverageService
from detectors.service.runs.runs import RunService
from detectors.service.runs.steps import RunStores
from detectors.service.situation.situations import EVERY_SECONDS as SITUATION_SECONDS
from detectors.service.situation.situations import SituationService
from detectors.service.triage.alert_page import AlertPageService
from detectors.service.triage.alert_views import AlertDeadlineService, AlertViewService
from detectors.service.triage.alerts import AlertService
from detectors.service.triage.bulk_actions import BulkActionService
from detectors.service.triage.bulk_runner import BulkRunner
from detectors.service.triage.drills import DrillAlertService
from detectors.service.triage.entities import EntityService
from detectors.service.triage.entity_cards import EntityCards
from detectors.service.triage.handling import AlertHandlingService
from detectors.service.triage.queue import AlertQueueService
from detectors.service.triage.replaying import ReplayService
from detectors.service.triage.suppression import SuppressionService
from detectors.service.watching.control_watch import ControlWatch
from detectors.service.watching.self_watch import SelfWatch
from detectors.service.watching.source_watch import EVERY_SECONDS as FARE_SECONDS
from detectors.service.watching.source_watch import SourceWatch
from detectors.service.watching.store_watch import EVERY_SECONDS as LOOK_SECONDS
from detectors.service.watching.store_watch import StoreWatch
from detectors.store.alert_handling import DatabaseAlertHandling
from detectors.store.alert_page import DatabaseAlertPage
from detectors.store.alert_queue import DatabaseAlertQueue
from detectors.store.alert_views import DatabaseAlertDeadlines, DatabaseAlertViews
from detectors.store.alerts import DatabaseAlerts
from detectors.store.anomalies import DatabaseModels
from detectors.store.bulk_actions import DatabaseBulkActions
from detectors.store.correlations import DatabaseCorrelations
from detectors.store.detectors import DatabaseDetectors
from detectors.store.history import DatabaseRuleHistory
from detectors.store.hits import DatabaseHits
from detectors.store.privacy import SqlOriginals, SqlPolicies
from detectors.store.risks import DatabaseRisks
from detectors.store.rule_folders import DatabaseRuleFolders
from detectors.store.rule_health import DatabaseRuleHealth
from detectors.store.schedule import DatabaseSchedule
from detectors.store.situation import DatabaseSituations
from detectors.store.sources import SqlLogSources, SqlSourceHealths
from detectors.store.triage import DatabaseExceptions, DatabaseSuppressions
from secops.adapters.cache_file import CacheFile
from secops.kernel.actors import system_actor
from secops.kernel.clock import DAY
from secops.kernel.events import ControlStatusChanged, Subscription
from secops.kernel.jobs import Job
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.web.routes import Plane

OWN_LOG_DAYS: Final = 14
"""How long the platform's own log files stay after they were read into the log store."""


def install(parts: Parts, ports: DetectorsPorts, options: DetectorsOptions) -> Plane:
    """Return the plane; rules and logs are read when they are first needed."""

    def closed(name: str, details: Mapping[str, str | int]) -> None:
        actor = system_actor("detectors")
        act = Act(CLOSE_SEGMENT, actor, f"segment:{name}", details=details)
        parts.trail.append([act])

    def damaged(batch: str) -> None:
        actor = system_actor("detectors")
        act = Act("detectors.set_aside_batch", actor, f"spool:{batch}", "failed")
        parts.trail.append([act])

    around = Surroundings(parts.home, parts.leases, lambda: parts.ids.new("writer"))
    opened = open_log_store(
        options, around, Judgement(evaluator, indexing), Hearers(closed, damaged)
    )
    recognition = Recognition(InstalledDataClasses(parts.home))
    privacy = PrivacyService(parts, recognition, SqlPolicies(), SqlOriginals(), ports.privacy_keys)
    logs, sources, follower = log_services(parts, opened, privacy, options)
    watch = SelfWatch(parts, ports.acts, opened.store, follower.tails)
    looking = StoreWatch(parts, opened.store, DatabaseAlerts())
    faring = SourceWatch(parts, opened.store, SqlLogSources(), SqlSourceHealths(), DatabaseAlerts())
    rules, runs, alerts = detection(parts, opened)
    training, login_risk = anomaly_services(parts, opened.store, ports, options)
    pages, replays = alert_pages(parts, opened.store, (rules, alerts), ports)
    services = DetectorsServices(
        logs=logs,
        search=LogSearch(parts, opened.store, ports.privacy_keys, options.timezone),
        integrity=LogIntegrity(parts, opened.files, ports.acts),
        sources=sources,
        follower=follower,
        source_watch=faring,
        shipping=shipping_service(parts, opened, privacy, options),
        listening=listening_service(parts, opened, privacy, options),
        privacy=privacy,
        tracing=TracingService(
            parts, opened.store, recognition, ports.privacy_keys, options.timezone
        ),
        rules=rules,
        rule_folders=RuleFolderService(parts, DatabaseRuleFolders(), LocalRuleFolders(parts.home)),
        trials=RuleTrialService(parts, rules, opened.store),
        coverage=CoverageService(parts, rules, runs, DatabaseRuleHistory(), DatabaseRuleHealth()),
        runs=runs,
        correlations=CorrelationService(parts, rules, DatabaseCorrelations(), DatabaseAlerts()),
        alerts=alerts,
        alert_pages=pages,
        replays=replays,
        queue=AlertQueueService(parts, DatabaseAlertQueue()),
        handling=AlertHandlingService(
            parts, DatabaseAlerts(), DatabaseAlertHandling(), ports.roles
        ),
        alert_views=AlertViewService(parts, DatabaseAlertViews()),
        drills=DrillAlertService(parts, DatabaseAlerts()),
        alert_deadlines=AlertDeadlineService(parts, DatabaseAlertDeadlines()),
        bulk_actions=BulkActionService(parts, DatabaseBulkActions(), ports.roles),
        bulk_runner=BulkRunner(parts, DatabaseBulkActions(), DatabaseAlerts(), ports.roles),
        reports=rule_reports(parts, opened.store, rules),
        forecasts=ForecastService(parts, opened.store, rules),
        exceptions=ExceptionService(parts, DatabaseExceptions(), rules),
        exception_previews=ExceptionPreviews(parts, opened.store, DatabaseAlerts(), rules),
        suppressions=SuppressionService(parts, DatabaseSuppressions(), DatabaseAlerts(), rules),
        entities=EntityService(parts, DatabaseRisks(), DatabaseAlerts()),
        situations=SituationService(
            parts,
            opened.store,
            DatabaseSituations(),
            DatabaseAlertQueue(),
            SqlLogSources(),
            SqlSourceHealths(),
            ports.open_incidents,
        ),
        models=ModelService(training),
        login_risk=login_risk,
        anomalies=AnomalyWatch(training),
    )

    def retain() -> None:
        held = ports.held_days()  # raises where nobody can tell: then nothing is dropped
        logs.apply_retention(options.retention_days, held)
        oldest = min((since for since, _ in held), default=parts.clock.now())
        privacy.drop_originals(min(oldest, parts.clock.now() - options.retention_days * DAY))
        forget_before(parts.home / "log", parts.clock.now() - OWN_LOG_DAYS * DAY)

    jobs = (
        *log_jobs(opened.writer, follower, retain),
        Job("detectors.watch_ledger", 1.0, watch.watch),
        Job("detectors.watch_sources", FARE_SECONDS, faring.watch),
        Job("detectors.watch_log_store", LOOK_SECONDS, looking.watch),
        *detection_jobs(runs, options.retention_days),
        *triage_jobs(services.reports, services.correlations, services.entities),
        Job("detectors.look_at_situation", SITUATION_SECONDS, services.situations.look),
        Job("detectors.bulk_actions", BULK_SECONDS, services.bulk_runner.tick),
        *anomaly_jobs(services.anomalies, training),
    )
    controls = ControlWatch(parts, ports.controls, DatabaseAlerts())
    drift = Subscription("detectors.follow_controls", ControlStatusChanged, controls.status_changed)
    return Plane("detectors", services, routes(services), jobs, (drift,))


def log_services(
    parts: Parts, opened: OpenedLogStore, privacy: PrivacyService, options: DetectorsOptions
) -> tuple[LogService, SourceService, Follower]:
    """Return the services of logs over the log store."""
    sources = SqlLogSources()
    rejects = LocalRejects(parts.home / "rejects")
    logs = LogService(
        parts=parts,
        store=opened.store,
        intake=opened.spool,
        files=LocalLogFiles(),
        rejects=rejects,
        sources=sources,
        privacy=privacy,
        timezone=options.timezone,
    )
    follower = Follower(
        parts=parts,
        sources=sources,
        store=opened.store,
        tails=LocalTails(parts.home / "tail"),
        rejects=rejects,
        privacy=privacy,
        healths=SqlSourceHealths(),
        own=lambda: own_sources(parts.home / "log"),
    )
    return logs, SourceService(parts, sources), follower


def shipping_service(
    parts: Parts, opened: OpenedLogStore, privacy: PrivacyService, options: DetectorsOptions
) -> ShippingService:
    """Return what takes bulk requests."""
    return ShippingService(
        parts=parts,
        intake=opened.spool,
        sources=SqlLogSources(),
        healths=SqlSourceHealths(),
        rejects=LocalRejects(parts.home / "rejects"),
        privacy=privacy,
        timezone=options.timezone,
    )


def listening_service(
    parts: Parts, opened: OpenedLogStore, privacy: PrivacyService, options: DetectorsOptions
) -> ListeningService:
    """Return what hears syslog, once it is told to."""
    intake = SyslogIntake(
        parts=parts,
        intake=opened.spool,
        sources=SqlLogSources(),
        healths=SqlSourceHealths(),
        privacy=privacy,
        timezone=options.timezone,
    )
    listeners = SyslogListeners(options.listeners, intake, FrameCutter, parts.clock)
    return ListeningService(parts, listeners, intake, LocalListenerNotes(parts.home))


def detection(parts: Parts, opened: OpenedLogStore) -> tuple[RuleService, RunService, AlertService]:
    """Return the services of detection over a log store."""
    store, alerts = DatabaseDetectors(), DatabaseAlerts()
    cache = CacheFile(parts.home, "installed-rules")
    foreign = ForeignRules(DatabaseRuleFolders(), LocalRuleFolders(parts.home))
    rules = RuleService(parts, store, InstalledRules(parts.home), cache, foreign)
    others = CacheFile(parts.home, "rules")
    stores, sources = run_stores(store, alerts), SqlLogSources()
    runs = RunService(parts, opened.store, stores, rules, others, sources, opened.pieces)
    return rules, runs, AlertService(parts, opened.store, alerts)


def alert_pages(
    parts: Parts,
    logs: LogStore,
    detection: tuple[RuleService, AlertService],
    ports: DetectorsPorts,
) -> tuple[AlertPageService, ReplayService]:
    """Return what tells of one alert, and what asks its rule again."""
    rules, alerts = detection
    standings = RuleStandings(
        parts,
        rules,
        DatabaseRuleHistory(),
        InstalledRules(parts.home),
        DatabaseExceptions(),
        DatabaseSuppressions(),
    )
    cards = EntityCards(
        parts, logs, ports.entities, DatabaseRisks(), DatabaseAlerts(), ports.privacy_keys
    )
    pages = AlertPageService(parts, alerts, DatabaseAlertPage(), standings, cards, ports.incidents)
    return pages, ReplayService(parts, logs, alerts, standings, DatabaseExceptions())


def run_stores(store: DatabaseDetectors, alerts: DatabaseAlerts) -> RunStores:
    """Return where runs keep what they find."""
    return RunStores(
        alerts,
        store,
        DatabaseSchedule(),
        DatabaseRuleHealth(),
        DatabaseHits(),
        DatabaseCorrelations(),
        DatabaseExceptions(),
        DatabaseSuppressions(),
    )


def rule_reports(parts: Parts, logs: LogStore, rules: RuleService) -> RuleReports:
    """Return what says how rules fare."""
    stores = ReportStores(
        DatabaseAlerts(), DatabaseSchedule(), DatabaseRuleHealth(), SqlSourceHealths()
    )
    return RuleReports(parts, logs, stores, rules)


def anomaly_services(
    parts: Parts, logs: LogStore, ports: DetectorsPorts, options: DetectorsOptions
) -> tuple[TrainingService, LoginRiskService]:
    """Return what trains models and what judges sign-ins with them."""
    vault, zone = ModelVault(parts, DatabaseModels(), ports.model_signer), zone_of(options.timezone)
    training = TrainingService(vault, logs, DatabaseAlerts(), SklearnForests(), zone)
    return training, LoginRiskService(vault, ports.privacy_keys, NetworkFile(parts.home), zone)
