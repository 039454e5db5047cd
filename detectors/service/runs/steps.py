"""One step of the schedule: read what is due, ask, and write effect and progress together.

Whatever happens between reading and COMMIT, the step is either done or not: progress, matches,
alerts, ledger leaves and announcements are one transaction that carries the lease's fence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from detectors.core.detection import Detector, Failure, Finding, Plan
from detectors.core.schedule import admissions, backfill_step, live_step, unseen
from detectors.core.sightings import Sight, Watch
from detectors.models.schedule import DetectorKey, Progress, Span, Step
from detectors.ports import (
    AlertStore,
    CorrelationStore,
    DetectorStore,
    ExceptionStore,
    HitStore,
    RuleHealthStore,
    ScheduleStore,
    SuppressionStore,
)
from detectors.service.rules.exceptions import Excepter
from detectors.service.rules.rule_alerts import sync_raising
from detectors.service.rules.rule_files import logsource_table
from detectors.service.triage.effects import Assessor, Effects, write_effects, write_notes
from detectors.service.triage.grouping import Folded, Folder
from detectors.service.triage.suppression import Suppressor
from secops.kernel.actors import ROOT_ORG
from secops.kernel.anchors import ANYTHING
from secops.kernel.clock import MINUTE
from secops.kernel.leases import Lease
from secops.kernel.logs import Batch, LogStore
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

LIVE: Final = 20_000
"""Events that a live step covers at most; what is further behind becomes a gap."""
BACKFILL: Final = 10_000
"""Events of one back-fill step: the longest that something live waits for it."""
RETRY: Final = 10 * MINUTE
"""How long a rule that could not be asked rests before its gap is tried again."""
_MEASURE_EVERY: Final = 16
_MEASURE_LEAST: Final = 100
_PLANS: Final = 6


class _Stale(Exception):
    """Another process moved a cursor: nothing of this step may be kept."""


@dataclass(frozen=True, slots=True)
class RunStores:
    """Where runs keep what they find and how far they are."""

    alerts: AlertStore
    detectors: DetectorStore
    schedule: ScheduleStore
    health: RuleHealthStore
    hits: HitStore
    correlations: CorrelationStore
    exceptions: ExceptionStore
    suppressions: SuppressionStore


@dataclass(slots=True)
class _Plans:
    """Compiled programs of the groups that are asked together."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    plans: dict[tuple[DetectorKey, ...], Plan] = field(default_factory=dict)
    watches: dict[tuple[DetectorKey, ...], Watch] = field(default_factory=dict)
    asked: int = 0
    seen: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(
        self, detectors: Sequence[Detector], monotonic: Callable[[], float]
    ) -> tuple[Plan, Watch]:
        key = tuple(detector.key for detector in detectors)
        with self.lock:
            plan = self.plans.pop(key, None) or Plan(detectors, monotonic)
            watch = self.watches.pop(key, None) or Watch(detectors, logsource_table()[0])
            self.plans[key], self.watches[key] = plan, watch
            while len(self.plans) > _PLANS:
                oldest = next(iter(self.plans))
                del self.plans[oldest], self.watches[oldest]
            return plan, watch


@dataclass(frozen=True, slots=True)
class Standing:
    """Where detectors stand; which rules failed last, and which of them rest."""

    places: Sequence[Progress]
    failing: frozenset[str]
    resting: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step found, before it is written."""

    step: Step
    seen: Span
    events: int = 0
    folded: Folded = field(default_factory=lambda: Folded(Effects(), ()))
    failures: Mapping[DetectorKey, Failure] = field(default_factory=dict)
    hits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    sight: Sight = field(default_factory=lambda: Sight((), {}))
    cost: tuple[str, int] | None = None
    spared: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    skipped: frozenset[DetectorKey] = frozenset()

    @property
    def unasked(self) -> tuple[DetectorKey, ...]:
        """The detectors that did not answer."""
        return tuple(k for k in self.step.keys if k in self.failures or k in self.skipped)


@dataclass(frozen=True, slots=True)
class Stepper:
    """Does steps under a lease."""

    parts: Parts
    logs: LogStore
    stores: RunStores
    _plans: _Plans = field(default_factory=_Plans)
    excepter: Excepter = field(default_factory=Excepter)

    def is_due(self, detectors: Sequence[Detector]) -> bool:
        """Tell whether a step has anything to do; writes nothing."""
        last = self.logs.last_seq()
        progress = self._progress(detectors).places
        return bool(
            (last and admissions(progress, last, LIVE))
            or live_step(progress, last, LIVE)
            or backfill_step(progress, BACKFILL)
        )

    def step(self, detectors: Sequence[Detector], lease: Lease) -> int | None:
        """Do the next step; return how many alerts it raised, None if nothing was due.

        Where another process was there first nothing of the step is kept.
        """
        last = self.logs.last_seq()
        standing = self._progress(detectors)
        moved = admissions(standing.places, last, LIVE)
        if moved and last:
            if not self.parts.transactions.run(
                lambda tx: self.stores.schedule.admit(tx, moved, lease.fence)
            ):
                return 0
            standing = self._progress(detectors)
        places = standing.places
        step = live_step(places, last, LIVE) or backfill_step(places, BACKFILL)
        if step is None:
            return None
        by_key = {detector.key: detector for detector in detectors}
        skipped = frozenset(key for key in step.keys if key[0] in standing.resting)
        group = [by_key[key] for key in step.keys if key not in skipped]
        # what is live is seen whole, so that fields and feeds are noticed, and the first of all
        # history where nothing ever was; the rest of history by need
        whole = step.kind == "live" or not self._seen()
        anchor = ANYTHING if whole else self.plan(group)[0].anchor
        batch = next(iter(self.logs.scan(step.span.first, step.span.last, anchor)), None)
        if batch is None or not batch.events:
            return self._commit(Outcome(step, step.span), standing.failing, lease)
        outcome = replace(self._ask(step, group, batch), skipped=skipped)
        return self._commit(outcome, standing.failing, lease)

    def whole_step(
        self, detectors: Sequence[Detector], lease: Lease
    ) -> tuple[Step, Standing] | None:
        """Return the next step however many events it covers; None if nothing is due."""
        last = self.logs.last_seq()
        standing = self._progress(detectors)
        moved = admissions(standing.places, last, last)
        if moved and last:
            if not self.parts.transactions.run(
                lambda tx: self.stores.schedule.admit(tx, moved, lease.fence)
            ):
                return None
            standing = self._progress(detectors)
        step = live_step(standing.places, last, last) or backfill_step(standing.places, last)
        return None if step is None else (step, standing)

    def settle(self, detectors: Sequence[Detector], lease: Lease, watermark: int) -> int:
        """Judge what is certain once all before ``watermark`` is known; return new alerts.

        Detectors that have not seen everything wait: what they lack may be what is awaited.
        """
        last = self.logs.last_seq()
        ready = [
            detector
            for detector, place in zip(detectors, self.progress(detectors), strict=True)
            if not unseen(place, last)
        ]
        transactions, stores = self.parts.transactions, self.stores

        def write(tx: Transaction, effects: Effects) -> int:
            if not stores.schedule.set_watermark(tx, watermark, lease.fence):
                raise _Stale
            if not write_notes(tx, stores.correlations, effects):
                raise _Stale
            return self._write(tx, effects)

        raised, more = 0, True
        while more:
            effects = self.assessor.settle(ready, watermark, self.parts.clock.now())
            more = effects.more
            try:
                raised += transactions.run(partial(write, effects=effects))
            except _Stale:
                break
        return raised

    def progress(self, detectors: Sequence[Detector]) -> list[Progress]:
        """Return where ``detectors`` stand, in their order."""
        known = self.parts.transactions.read(self.stores.schedule.progress)
        return [known.get(key := each.key) or Progress(key) for each in detectors]

    @property
    def assessor(self) -> Assessor:
        """What turns findings into effects."""
        stores = self.stores
        return Assessor(self.parts.transactions, self.logs, stores.alerts, stores.correlations)

    def plan(self, group: Sequence[Detector]) -> tuple[Plan, Watch]:
        """Return the compiled program of ``group``, and what watches its fields."""
        return self._plans.of(group, self.parts.clock.monotonic)

    def _progress(self, detectors: Sequence[Detector]) -> Standing:
        """Return where they stand, less the gaps of those that rest after a failure."""
        now = self.parts.clock.now()

        def read(tx: Transaction) -> Standing:
            known = self.stores.schedule.progress(tx)
            failed = self.stores.health.failures(tx)
            resting = {rule_id for rule_id, at in failed.items() if abs(now - at) < RETRY}
            found = [known.get(key := each.key) or Progress(key) for each in detectors]
            places = [replace(p, gaps=()) if p.key[0] in resting else p for p in found]
            return Standing(places, frozenset(failed), frozenset(resting))

        return self.parts.transactions.read(read)

    def _ask(self, step: Step, group: Sequence[Detector], batch: Batch) -> Outcome:
        plan, watch = self.plan(group)
        found, failures = plan.find(batch)
        transactions = self.parts.transactions
        active = transactions.read(self.stores.exceptions.active) if found else ()
        findings, spared = self.excepter.spare(batch, found, active)
        effects = self.assessor.assess(batch, findings, self.parts.clock.now())
        seen = self._seen()
        return Outcome(
            step,
            Span(step.span.first, batch.last_seq),
            batch.events,
            Folder(transactions, self.stores.alerts, self.stores.hits).fold(effects),
            {failure.detector.key: failure for failure in failures},
            _newest(batch, findings),
            watch.look(batch, seen) if batch.scanned is None else Sight((), {}),
            self._measure(group, batch),
            spared,
        )

    def _seen(self) -> Mapping[str, frozenset[str]]:
        """Return which fields were seen of each log source, read when this process needs it."""
        if not self._plans.seen:
            self._plans.seen = self.parts.transactions.read(self.stores.health.seen_fields)
        return self._plans.seen

    def _measure(self, group: Sequence[Detector], batch: Batch) -> tuple[str, int] | None:
        """Ask one rule alone, now and then, and return its CPU time in nanoseconds."""
        turn, rest = divmod(self._plans.asked, _MEASURE_EVERY)
        self._plans.asked += 1
        if rest or len(batch) < _MEASURE_LEAST:
            return None
        chosen = group[turn % len(group)]
        plan = Plan([chosen])
        plan.find(batch)  # compiles
        started = time.thread_time_ns()
        plan.find(batch)
        return chosen.header.id, time.thread_time_ns() - started

    def _commit(self, outcome: Outcome, failing: frozenset[str], lease: Lease) -> int:
        return self.write(outcome, failing, lease) or 0

    def write(self, outcome: Outcome, failing: frozenset[str], lease: Lease) -> int | None:
        """Write effects and progress together; return how many alerts are new.

        None says that another process was there first, and nothing was kept.
        """

        def work(tx: Transaction) -> int:
            self._move(tx, outcome, lease.fence)
            self._note(tx, outcome, failing)
            effects = outcome.folded.effects
            if not write_notes(tx, self.stores.correlations, effects):
                raise _Stale
            self.stores.hits.add_hits(tx, ROOT_ORG, outcome.folded.hits)
            self.stores.exceptions.note_hits(tx, outcome.spared)
            return self._write(tx, effects)

        try:
            return self.parts.transactions.run(work)
        except _Stale:
            return None

    def _write(self, tx: Transaction, effects: Effects) -> int:
        """Write alerts, the suppressed ones quietly; return how many new ones are told."""
        suppressor = Suppressor(self.stores.suppressions, self.stores.alerts)
        return len(write_effects(tx, self.stores.alerts, suppressor.quiet(tx, effects)))

    def _move(self, tx: Transaction, outcome: Outcome, fence: int) -> None:
        """Move the detectors on; what could not be asked keeps, or gets, its gap."""
        step, seen, store = outcome.step, outcome.seen, self.stores.schedule
        unasked = outcome.unasked
        left = frozenset(unasked)
        asked = replace(step, keys=tuple(key for key in step.keys if key not in left))
        moved = step if step.kind == "live" else asked
        if not store.advance(tx, moved, seen, fence):
            raise _Stale
        if step.kind == "live":
            store.leave(tx, unasked, seen, fence)
        hits = {key: n for key, n in outcome.folded.effects.hits.items() if n}
        store.record(tx, asked, seen, outcome.events, hits)

    def _note(self, tx: Transaction, outcome: Outcome, failing: frozenset[str]) -> None:
        health = self.stores.health
        failed = {f.detector.header.id: f for f in outcome.failures.values()}
        unasked = frozenset(outcome.unasked)
        asked = {key[0] for key in outcome.step.keys if key not in unasked}
        cured = asked & failing if outcome.events else set()
        if failed or cured:
            whys = {rule_id: failure.why[:200] for rule_id, failure in failed.items()}
            health.note_failures(tx, {**dict.fromkeys(sorted(cured), ""), **whys})
            sync_raising(tx, self.stores.alerts, failed, cured)
        health.note_hits(tx, outcome.hits)
        health.note_feeds(tx, outcome.sight.feeds)
        if outcome.sight.fields:
            health.note_fields(tx, outcome.sight.fields, outcome.seen.first)
            self._plans.seen = {}  # what is stored may be more than this process has seen
        if outcome.cost is not None:
            rule_id, nanoseconds = outcome.cost
            health.note_cost(tx, rule_id, nanoseconds, outcome.events)


def _newest(batch: Batch, findings: Sequence[Finding]) -> dict[str, tuple[int, int]]:
    """Return the newest hit of each rule: (event time, seq)."""
    newest: dict[str, tuple[int, int]] = {}
    for finding in findings:
        place = (batch.times[finding.row], batch.seqs[finding.row])
        rule_id = finding.detector.header.id
        newest[rule_id] = max(place, newest.get(rule_id, place))
    return newest
