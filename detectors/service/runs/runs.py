"""Running the detectors over what is stored: each of them sees every event once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.detection import Detector, detectors_of
from detectors.core.schedule import unseen
from detectors.errors import DetectorsBusy, NoRules
from detectors.models.alerts import Alert, AlertFilter, Evaluation, RunResult, Unscanned
from detectors.models.rules import RuleFile
from detectors.ports import LogSources, RuleCache, StoredPieces
from detectors.service.correlation.correlation_nodes import memories_of
from detectors.service.rules.rule_files import compile_rules
from detectors.service.rules.rules import RuleService
from detectors.service.runs.event_time import EventTime
from detectors.service.runs.scan import Workers
from detectors.service.runs.steps import RunStores, Stepper
from detectors.service.runs.sweep import Sweeper
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, SECOND
from secops.kernel.leases import Lease
from secops.kernel.logs import Aggregation, And, LogStore, Window
from secops.kernel.pages import MAX_LIMIT, Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ, RUN_DETECTORS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_LOGGER: Final = logging.getLogger(__name__)
LEASE: Final = "detectors.evaluation"
"""One lease for all detectors: they share the work of reading and decoding a batch, and
alerts of one group are never written by two. Other nodes stand by."""
LEASE_SECONDS: Final = 30.0
SETTLE_EVERY: Final = 2 * SECOND
"""How far the watermark must have moved before what waited for it is judged again."""
PATIENCE: Final = 60.0
"""Seconds that a command waits for a scheduler's step to end."""


@dataclass(slots=True)
class _Pace:
    """The watermark that this process settled last."""

    settled: int = 0


@dataclass(frozen=True, slots=True)
class RunService:
    """Use cases on runs."""

    _parts: Parts
    _logs: LogStore
    _stores: RunStores
    _rules: RuleService
    _cache: RuleCache
    _sources: LogSources
    _pieces: StoredPieces | None = None
    _stepper: Stepper = field(init=False)
    _time: EventTime = field(init=False)
    _pace: _Pace = field(default_factory=_Pace)

    def __post_init__(self) -> None:
        """Make the stepper, which keeps compiled programs between steps, and event time."""
        stepper = Stepper(self._parts, self._logs, self._stores)
        object.__setattr__(self, "_stepper", stepper)
        object.__setattr__(self, "_time", EventTime(self._parts.clock))

    def tick(self) -> bool:
        """Do one step of the enabled detectors if nobody else is at it; True if one was due."""
        detectors = self._rules.enabled()
        if not self._stepper.is_due(detectors):
            self._settle(detectors)
            return False
        lease = self._acquire()
        if lease is None:
            return False
        try:
            return self._stepper.step(detectors, lease) is not None
        finally:
            self._parts.leases.release(lease)

    def run_detectors(
        self,
        actor: Actor,
        window: Window,
        files: Sequence[RuleFile] | None = None,
        *,
        workers: Workers | None = None,
    ) -> RunResult:
        """Evaluate over all that is stored and return the alerts of ``window``.

        ``files`` are other rules than this instance's. With ``workers`` much that is stored is
        read by them, where the log store can be read in pieces. Alerts found before are not raised
        again; they are in the answer. Raises ``NoRules``, ``DetectorsBusy``.
        """
        self._parts.access.require(actor, RUN_DETECTORS)
        detectors = self._rules.enabled() if files is None else self._foreign(files)
        new = self._catch_up(detectors, workers)
        alerts = tuple(self._alerts_of({d.header.id for d in detectors}, window))
        events = self._count(window)
        details = {"rules": len(detectors), "events": events, "new": new}
        act = Act("detectors.run_detectors", actor, "detectors:run", details=details)
        self._parts.transactions.run(lambda tx: tx.record(act))
        return RunResult(alerts, new, len(detectors), events)

    def forget_matches(self, days: int) -> int:
        """Drop what was counted more than ``days`` ago, as its events are gone too."""
        before = self._parts.clock.now() - days * DAY
        memories = memories_of(self._rules.enabled(), before)

        def work(tx: Transaction) -> int:
            self._stores.hits.drop_hits(tx, before)
            return self._stores.correlations.forget(tx, before, memories)

        return self._parts.transactions.run(work)

    def list_unscanned(self, actor: Actor) -> Sequence[Unscanned]:
        """Return what enabled detectors have not seen yet, the oldest first."""
        self._parts.access.require(actor, RULE_READ)
        last = self._logs.last_seq()
        detectors = self._rules.enabled()
        waiting = [
            Unscanned(*detector.key, detector.header.title, span.first, span.last)
            for detector, progress in zip(detectors, self._stepper.progress(detectors), strict=True)
            for span in unseen(progress, last)
        ]
        return sorted(waiting, key=lambda each: (each.first_seq, each.detector))

    def list_evaluations(self, actor: Actor, page: PageRequest) -> Page[Evaluation]:
        """Return which version of which rule ran over which events."""
        self._parts.access.require(actor, RULE_READ)
        rows = self._parts.transactions.read(
            lambda tx: self._stores.detectors.evaluations(tx, page)
        )
        keys = [(row.detector, row.version, row.first_seq) for row in rows]
        return page_of(rows, page.limit, keys)

    def _foreign(self, files: Sequence[RuleFile]) -> tuple[Detector, ...]:
        detectors, _ = detectors_of(compile_rules(files, self._cache))
        if not detectors:
            raise NoRules
        return detectors

    def _settle(self, detectors: Sequence[Detector]) -> None:
        """Judge what waited for time to pass, where any rule waits for that."""
        if not _awaits(detectors):
            return
        reached = self._watermark()
        if reached < self._pace.settled + SETTLE_EVERY:
            return
        lease = self._acquire()
        if lease is None:
            return
        try:
            self._stepper.settle(detectors, lease, reached)
            self._pace.settled = reached
        finally:
            self._parts.leases.release(lease)

    def _watermark(self) -> int:
        """Return how far event time has got; the sources are read before what was seen."""
        sources = self._logs.sources()

        def read(tx: Transaction) -> tuple[dict[str, int], int | None]:
            silences = {
                each.name: each.expected_silence
                for each in self._sources.list(tx, None)
                if each.expected_silence is not None
            }
            return silences, self._stores.schedule.watermark(tx)

        silences, before = self._parts.transactions.read(read)
        return self._time.watermark(sources, silences, before)

    def _acquire(self) -> Lease | None:
        return self._parts.leases.acquire(LEASE, self._parts.ids.new("run"), LEASE_SECONDS)

    def _catch_up(self, detectors: Sequence[Detector], workers: Workers | None) -> int:
        """Do all steps that are due; return how many alerts they raised."""
        lease = self._wait_for_lease()
        raised = 0
        try:
            if workers is not None:
                raised, lease = self._sweep(detectors, workers, lease)
            while (new := self._stepper.step(detectors, lease)) is not None:
                raised += new
                renewed = self._parts.leases.renew(lease, LEASE_SECONDS)
                lease = renewed or self._wait_for_lease()
            if _awaits(detectors):
                raised += self._stepper.settle(detectors, lease, self._watermark())
        finally:
            self._parts.leases.release(lease)
        return raised

    def _sweep(
        self, detectors: Sequence[Detector], workers: Workers, lease: Lease
    ) -> tuple[int, Lease]:
        """Do the great steps; where one can't be done so it is left to the small ones."""
        if self._pieces is None:
            return 0, lease
        sweeper = Sweeper(self._stepper, self._pieces)
        raised, held = 0, lease

        def renewed() -> Lease:
            """Return the lease, or a new one where it ran out: its fence says who was here."""
            nonlocal held
            held = self._parts.leases.renew(held, LEASE_SECONDS) or self._wait_for_lease()
            return held

        try:
            while (new := sweeper.sweep(detectors, workers, renewed)) is not None:
                raised += new
        except (OSError, RuntimeError, ValueError):
            _LOGGER.warning("a sweep ended early; what is left is done step by step", exc_info=True)
        return raised, held

    def _wait_for_lease(self) -> Lease:
        started = self._parts.clock.monotonic()
        pause = threading.Event()
        while (lease := self._acquire()) is None:
            if self._parts.clock.monotonic() - started > PATIENCE:
                raise DetectorsBusy
            pause.wait(0.1)
        return lease

    def _alerts_of(self, rule_ids: set[str], window: Window) -> Iterable[Alert]:
        page = PageRequest(limit=MAX_LIMIT)
        wanted = AlertFilter(since=window.since)
        while True:
            rows = self._parts.transactions.read(
                lambda tx, page=page: self._stores.alerts.page(tx, ROOT_ORG, wanted, page)  # type: ignore[misc]
            )
            for alert in rows[: page.limit]:
                late = window.until is not None and alert.first_at >= window.until
                if alert.rule_id in rule_ids and not late and alert.status != "superseded":
                    yield alert
            if len(rows) <= page.limit:
                return
            edge = rows[page.limit - 1]
            page = PageRequest(MAX_LIMIT, (edge.last_at, edge.id))

    def _count(self, window: Window) -> int:
        if window.since is None and window.until is None:
            return sum(source.events for source in self._logs.sources())
        buckets = self._logs.aggregate(And(()), window, Aggregation())
        return sum(bucket.count for bucket in buckets)


def _awaits(detectors: Sequence[Detector]) -> bool:
    """Tell whether some detector judges in hindsight."""
    return any(not each.rising for detector in detectors for each in detector.chain)
