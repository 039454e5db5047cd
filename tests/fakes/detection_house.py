"""Detection over a real database and a log store in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from detectors.core.events.identity import LineCounter, event_id
from detectors.core.formats.detect import LINE_PARSERS
from detectors.core.formats.record import Context
from detectors.models.rules import RuleFile
from detectors.plane import alert_pages, rule_reports, run_stores
from detectors.ports import DetectorsPorts
from detectors.service.rules.rule_reports import RuleReports
from detectors.service.rules.rules import RuleService
from detectors.service.runs.runs import RunService
from detectors.service.triage.alert_page import AlertPageService
from detectors.service.triage.alerts import AlertService
from detectors.service.triage.replaying import ReplayService
from detectors.store.alerts import DatabaseAlerts
from detectors.store.detectors import DatabaseDetectors
from detectors.store.sources import SqlLogSources
from secops.adapters.cache_file import CacheFile
from secops.adapters.spine import Spine
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY
from secops.kernel.logs import LogEvent, LogStore
from tests.fakes.clock import FakeClock
from tests.fakes.log_store import FakeLogStore
from tests.fakes.parts import database_spine

RULES = Path(__file__).resolve().parents[2] / "rules" / "sigma"


def person(role: str, org_id: str = ROOT_ORG) -> Actor:
    return Actor("account", f"acc_{role}", org_id, role, roles=frozenset({role}))


ANALYST = person("analyst")
SECURITY_ADMIN = person("security-admin")


class RulesIn:
    """Rule files given as texts."""

    def __init__(self, **texts: str) -> None:
        self.files = [RuleFile(f"{name}.yml", text.encode()) for name, text in texts.items()]

    def rule_files(self) -> Sequence[RuleFile]:
        return self.files


def own_rule(name: str) -> Path:
    """Return where our own rule of that name lies."""
    (path,) = RULES.rglob(f"{name}.yml")
    return path


def own_rules(*names: str) -> RulesIn:
    return RulesIn(**{name: own_rule(name).read_text() for name in names})


def log_events(lines: Sequence[str], now: int, kind: str = "syslog") -> list[LogEvent]:
    context, counter = Context(zone=UTC, latest=now + DAY), LineCounter()
    events = []
    for line in lines:
        raw = line.encode()
        parsed = LINE_PARSERS[kind](raw, context)
        identity = event_id("test", raw, counter.number(raw))
        events.append(LogEvent(identity, "test", parsed.at, now, parsed.fields, raw))
    return events


@dataclass(frozen=True, slots=True)
class DetectionHouse:
    spine: Spine
    clock: FakeClock
    logs: LogStore
    rules: RuleService
    runs: RunService
    alerts: AlertService
    reports: RuleReports
    pages: AlertPageService
    replays: ReplayService

    def store(self, lines: Sequence[str], kind: str = "syslog") -> None:
        self.logs.append(log_events(lines, self.clock.now(), kind))


@contextmanager
def detection_house(
    home: Path, source: RulesIn, logs: LogStore | None = None
) -> Iterator[DetectionHouse]:
    """Open a house with the rules of ``source``."""
    clock = FakeClock()
    home.mkdir(exist_ok=True)
    spine = database_spine(home, clock=clock)
    try:
        yield over(spine, clock, source, logs or FakeLogStore())
    finally:
        spine.close()


def over(spine: Spine, clock: FakeClock, source: RulesIn, logs: LogStore) -> DetectionHouse:
    """Return services of their own over an open spine, as another process would have."""
    parts, store, alerts = spine.parts, DatabaseDetectors(), DatabaseAlerts()
    cache = CacheFile(parts.home, "installed-rules")
    rules = RuleService(parts, store, source, cache)
    runs = RunService(parts, logs, run_stores(store, alerts), rules, cache, SqlLogSources())
    reports = rule_reports(parts, logs, rules)
    found = AlertService(parts, logs, alerts)
    pages, replays = alert_pages(parts, logs, (rules, found), DetectorsPorts())
    return DetectionHouse(spine, clock, logs, rules, runs, found, reports, pages, replays)
