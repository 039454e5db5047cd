"""Wires the plane: the log store, the rules, the runs and the alerts."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.adapters.packaged_rules import InstalledRules
from detectors.adapters.rule_cache import RuleCacheFile
from detectors.adapters.segments.build import open_segments
from detectors.api import routes
from detectors.core.query import evaluator
from detectors.jobs import detection_jobs
from detectors.models import DetectorsOptions
from detectors.ports import DetectorsPorts
from detectors.service import DetectorsServices
from detectors.service.alerts import AlertService
from detectors.service.rules import RuleService
from detectors.service.runs import RunService
from detectors.store.alerts import DatabaseAlerts
from detectors.store.detectors import DatabaseDetectors
from secops.kernel.actors import system_actor
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.web.routes import Plane


def install(parts: Parts, ports: DetectorsPorts, options: DetectorsOptions) -> Plane:
    """Return the plane; rules and segments are read when they are first needed."""
    del ports

    def closed(name: str, details: Mapping[str, str | int]) -> None:
        actor = system_actor("detectors")
        act = Act("detectors.close_segment", actor, f"segment:{name}", details=details)
        parts.trail.append([act])

    segments = open_segments(parts.home, options.process, evaluator, closed)
    rules, runs, alerts = detection(parts, segments.store)
    services = DetectorsServices(rules=rules, runs=runs, alerts=alerts)
    return Plane("detectors", services, routes(services), detection_jobs(runs))


def detection(parts: Parts, logs: LogStore) -> tuple[RuleService, RunService, AlertService]:
    """Return the services of detection over a log store."""
    store, alerts = DatabaseDetectors(), DatabaseAlerts()
    cache = RuleCacheFile(parts.home)
    rules = RuleService(parts, store, InstalledRules(parts.home), cache)
    runs = RunService(parts, logs, alerts, store, rules, cache)
    return rules, runs, AlertService(parts, logs, alerts)
