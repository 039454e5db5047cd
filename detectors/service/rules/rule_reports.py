"""How each rule fares, and the health alerts of rules that can't see what they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from detectors.core.detection import Detector
from detectors.core.schedule import unseen
from detectors.core.sightings import Need, missing_fields, needs_of
from detectors.models.alerts import Alert, Reason, Unscanned
from detectors.models.rules import RuleHeader
from detectors.models.schedule import Feed, Progress, RuleHealth, RuleReport
from detectors.ports import AlertStore, RuleHealthStore, ScheduleStore, SourceHealths
from detectors.service.rules.rule_alerts import cure, health_alert, open_alerts, open_health
from detectors.service.rules.rule_files import logsource_table
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.logs import LogStore
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ
from secops.kernel.transactions import Transaction

LEAST_EVENTS: Final = 1_000
"""Events of a log source after which a field that none of them had counts as missing."""
_FIELDS: Final = "fields_missing"
_QUIET: Final = "sources_quiet"
_MAX_REASONS: Final = 100


@dataclass(frozen=True, slots=True)
class _Known:
    """What the reports are made of, read in one transaction."""

    places: Mapping[tuple[str, str], Progress]
    healths: Mapping[str, RuleHealth]
    feeds: Sequence[Feed]
    seen: Mapping[str, frozenset[str]]
    silent: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReportStores:
    """Where reports read."""

    alerts: AlertStore
    schedule: ScheduleStore
    health: RuleHealthStore
    sources: SourceHealths


@dataclass(frozen=True, slots=True)
class RuleReports:
    """Use cases on rules' state of affairs."""

    parts: Parts
    logs: LogStore
    stores: ReportStores
    rules: RuleService

    def report_rule(self, actor: Actor, rule_id: str) -> RuleReport:
        """Return how a rule fares; raise ``RuleNotFound``."""
        shown = self.rules.show_rule(actor, rule_id)
        detector = self.rules.library().get(rule_id)
        last, known = self.logs.last_seq(), self._known()
        return _report(detector, known, last, enabled=shown.enabled)

    def report_rules(self, actor: Actor) -> Sequence[RuleReport]:
        """Return how the enabled rules fare, those with problems first."""
        self.parts.access.require(actor, RULE_READ)
        last, known = self.logs.last_seq(), self._known()
        found = [_report(each, known, last, enabled=True) for each in self.rules.enabled()]
        return sorted(found, key=lambda each: (not each.problems, each.title, each.rule_id))

    def list_unscanned(self, actor: Actor) -> Sequence[Unscanned]:
        """Return what enabled rules have not seen or can't see, the oldest first."""
        last = self.logs.last_seq()
        found: list[Unscanned] = []
        for report in self.report_rules(actor):
            head = (report.rule_id, report.version, report.title)
            found.extend(
                Unscanned(*head, gap.first, gap.last, report.problems) for gap in report.gaps
            )
            if report.problems and not report.gaps:
                found.append(Unscanned(*head, last + 1, last, report.problems))
        return sorted(found, key=lambda each: (each.first_seq, each.detector))

    def look(self) -> bool:
        """Raise and close the health alerts about missing fields and quiet sources."""
        last, known = self.logs.last_seq(), self._known()
        wanted: dict[str, Alert] = {}
        now = self.parts.clock.now()
        by_source: dict[tuple[str, str], list[tuple[RuleHeader, RuleReport]]] = {}
        for detector in self.rules.enabled():
            report = _report(detector, known, last, enabled=True)
            for problem in (_FIELDS, _QUIET):
                if problem in report.problems:
                    logsource = str(detector.rules[0].header.logsource)
                    by_source.setdefault((problem, logsource), []).append((detector.header, report))
        for (problem, logsource), those in sorted(by_source.items()):
            alert = _alert(problem, logsource, those, now)
            wanted[alert.id] = alert

        def work(tx: Transaction) -> None:
            for alert in wanted.values():
                open_health(tx, self.stores.alerts, alert)
            for alert in open_alerts(tx, self.stores.alerts, (_FIELDS, _QUIET)):
                if alert.id not in wanted:
                    cure(tx, self.stores.alerts, alert.id)

        self.parts.transactions.run(work)
        return False

    def _known(self) -> _Known:
        def read(tx: Transaction) -> _Known:
            sources = self.stores.sources.list(tx, None)
            return _Known(
                self.stores.schedule.progress(tx),
                self.stores.health.healths(tx),
                self.stores.health.feeds(tx),
                self.stores.health.seen_fields(tx),
                frozenset(each.source for each in sources if each.silent_since is not None),
            )

        return self.parts.transactions.read(read)


def _report(detector: Detector, known: _Known, last: int, *, enabled: bool) -> RuleReport:
    header = detector.header
    place = known.places.get(detector.key, Progress(detector.key))
    health = known.healths.get(header.id, RuleHealth(header.id))
    table = logsource_table()[0]
    per_rule = [needs_of(rule, table) for rule in detector.rules]
    names = {need.kind.name for needs in per_rule for need in needs}
    feeds = [feed for feed in known.feeds if feed.logsource in names]
    sources = tuple(sorted({feed.source for feed in feeds}))
    missing = {name for needs in per_rule for name in _missing(needs, known)}
    return RuleReport(
        rule_id=header.id,
        version=detector.version,
        title=header.title,
        enabled=enabled,
        last_seq=(place.next_seq or 1) - 1,
        gaps=unseen(place, last),
        last_hit_at=health.last_hit_at,
        failure=health.failure,
        sources=sources,
        events=sum(feed.events for feed in feeds),
        missing=tuple(sorted(missing)),
        quiet=bool(sources) and known.silent.issuperset(sources),
        cost=health.cost_ns / health.cost_events if health.cost_events else None,
    )


def _missing(needs: Sequence[Need], known: _Known) -> frozenset[str]:
    """Return a rule's missing fields, once enough events were there to know."""
    events: dict[str, int] = {}
    for feed in known.feeds:
        events[feed.logsource] = events.get(feed.logsource, 0) + feed.events
    enough = {name: count for name, count in events.items() if count >= LEAST_EVENTS}
    return missing_fields(needs, enough, known.seen)


def _alert(
    problem: str, logsource: str, those: Sequence[tuple[RuleHeader, RuleReport]], now: int
) -> Alert:
    if problem == _FIELDS:
        title = f"规则所需字段从未出现 / fields that rules name were never seen: {logsource}"
        reasons = [
            Reason(header.title, ", ".join(report.missing)[:200], "never")
            for header, report in those
        ]
    else:
        title = f"规则的日志来源全部静默 / every source of these rules is quiet: {logsource}"
        reasons = [
            Reason(header.title, "events", ", ".join(report.sources)[:200])
            for header, report in those
        ]
    return health_alert(problem, (logsource, "1"), title, reasons[:_MAX_REASONS], now)
