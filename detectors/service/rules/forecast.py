"""Dry runs: what a rule would raise over stored history, before anybody enables it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.alert_grouping import entity_of, window_of
from detectors.core.correlation.chains import chained_episodes
from detectors.core.correlation.grouping import Hit
from detectors.core.detection import Detector, Finding, Plan, detectors_of, hits_of
from detectors.core.engine.tables import RowFields
from detectors.core.forecast import Volume, volume
from detectors.core.subjects import subjects_of
from detectors.errors import NoRules
from detectors.models.rules import RuleFile
from detectors.service.rules.rule_files import compile_rules
from detectors.service.rules.rules import RuleService
from secops.kernel.actors import Actor
from secops.kernel.clock import SystemClock
from secops.kernel.logs import Batch, LogStore, StoredEvent, Window
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ, RUN_DETECTORS

MAX_EVENTS: Final = 5_000_000
MAX_HITS: Final = 500_000
_TOP: Final = 10
_SAMPLE: Final = 5


@dataclass(frozen=True, slots=True)
class Forecast:
    """What one detector would have raised. ``cost`` is CPU microseconds per 1,000 events.

    ``groups`` are the entities with most alerts; ``cut`` says that a limit ended the trial.
    """

    rule_id: str
    title: str
    events: int
    hits: int
    alerts: int
    volume: Volume
    groups: tuple[tuple[str, int], ...]
    sample: tuple[StoredEvent, ...]
    cost: float
    cut: bool
    failure: str = ""


@dataclass(slots=True)
class _Trial:
    """What was found so far."""

    events: int = 0
    nanoseconds: int = 0
    first_at: int | None = None
    last_at: int = 0
    plain: dict[tuple[tuple[str, ...], int], int] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    found: int = 0
    sample: list[str] = field(default_factory=list)
    failure: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True)
class ForecastService:
    """Use cases on dry runs; they write nothing but the trail of having been asked for."""

    parts: Parts
    logs: LogStore
    rules: RuleService

    def forecast_rule(self, actor: Actor, rule_id: str, window: Window) -> Forecast:
        """Return what a rule of this instance would raise; raise ``RuleNotFound``."""
        self.parts.access.require(actor, RULE_READ, f"rule:{rule_id}")
        return self._forecast(self.rules.library().get(rule_id), window)

    def forecast_files(
        self, actor: Actor, files: Sequence[RuleFile], window: Window
    ) -> Sequence[Forecast]:
        """Return what the rules in ``files`` would raise; raise ``NoRules``."""
        self.parts.access.require(actor, RUN_DETECTORS)
        detectors, _ = detectors_of(compile_rules(files))
        if not detectors:
            raise NoRules
        return [self._forecast(detector, window) for detector in detectors]

    def _forecast(self, detector: Detector, window: Window) -> Forecast:
        plan, trial = Plan([detector], SystemClock().monotonic), _Trial()
        for batch in self._batches(window, trial):
            started = time.thread_time_ns()
            findings, failures = plan.find(batch)
            trial.nanoseconds += time.thread_time_ns() - started
            if failures:
                trial.failure = failures[0].why
                break
            self._note(detector, batch, _inside(batch, findings, window), trial)
            if trial.found >= MAX_HITS:
                trial.cut = True
                break
        return self._result(detector, trial)

    def _batches(self, window: Window, trial: _Trial) -> Iterator[Batch]:
        for batch in self.logs.scan(1, self.logs.last_seq()):
            if trial.events >= MAX_EVENTS:
                trial.cut = True
                return
            times = [
                at
                for at in batch.times
                if (window.since is None or at >= window.since)
                and (window.until is None or at < window.until)
            ]
            if not times:
                continue
            trial.events += len(times)
            low, high = min(times), max(times)
            trial.first_at = low if trial.first_at is None else min(low, trial.first_at)
            trial.last_at = max(trial.last_at, high)
            yield batch

    def _note(
        self, detector: Detector, batch: Batch, findings: Sequence[Finding], trial: _Trial
    ) -> None:
        trial.found += len(findings)
        room = _SAMPLE - len(trial.sample)
        trial.sample.extend(batch.ids[finding.row] for finding in findings[:room])
        if detector.correlation is not None:
            trial.hits.extend(hits_of(batch, findings))
            return
        span = window_of(detector.header.custom)
        for finding in findings:
            at = batch.times[finding.row]
            entity = entity_of(subjects_of(RowFields(batch, finding.row)))
            place = (entity, at // span if span else batch.seqs[finding.row])
            trial.plain[place] = min(at, trial.plain.get(place, at))

    def _result(self, detector: Detector, trial: _Trial) -> Forecast:
        if detector.correlation is None:
            raised = [(" ".join(entity), at) for (entity, _), at in trial.plain.items()]
        else:
            first = trial.first_at or 0
            episodes = chained_episodes(detector.chain, trial.hits, trial.last_at + 1, first)[0]
            raised = [(" ".join(each.group), each.fired_at) for each in episodes]
        groups = Counter(name for name, _ in raised)
        top = sorted(groups.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
        return Forecast(
            rule_id=detector.header.id,
            title=detector.header.title,
            events=trial.events,
            hits=trial.found,
            alerts=len(raised),
            volume=volume((at for _, at in raised), trial.first_at or 0, trial.last_at),
            groups=tuple(top),
            sample=tuple(self.logs.get(trial.sample)),
            cost=trial.nanoseconds / trial.events if trial.events else 0.0,
            cut=trial.cut,
            failure=trial.failure,
        )


def _inside(batch: Batch, findings: Sequence[Finding], window: Window) -> list[Finding]:
    return [
        finding
        for finding in findings
        if (window.since is None or batch.times[finding.row] >= window.since)
        and (window.until is None or batch.times[finding.row] < window.until)
    ]
