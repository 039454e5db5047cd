"""Running the detectors over what is stored: each of them sees every event once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from detectors.core.detection import Detector, Plan, detectors_of
from detectors.errors import DetectorsBusy, NoRules
from detectors.models.alerts import (
    Alert,
    AlertFilter,
    Cursor,
    Evaluation,
    RunResult,
    Unscanned,
)
from detectors.models.rules import RuleFile
from detectors.ports import AlertStore, DetectorStore, RuleCache
from detectors.service.effects import Assessor, Effects, write_effects
from detectors.service.rule_files import compile_rules
from detectors.service.rules import RuleService
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY
from secops.kernel.leases import Lease
from secops.kernel.logs import Aggregation, And, LogStore, Window
from secops.kernel.pages import MAX_LIMIT, Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ, RUN_DETECTORS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

LEASE: Final = "detectors.evaluation"
LEASE_SECONDS: Final = 60.0
PATIENCE: Final = 60.0
"""Seconds that a command waits for a scheduler's step to end."""
STEP: Final = 20_000
"""Events that one step covers at most: the effect of a step is one transaction."""
_PLANS: Final = 4


class _Stale(Exception):
    """Another process moved a cursor: nothing of this step may be kept."""


@dataclass(slots=True)
class _Plans:
    lock: threading.Lock = field(default_factory=threading.Lock)
    plans: dict[tuple[tuple[str, str], ...], Plan] = field(default_factory=dict)

    def of(self, detectors: Sequence[Detector]) -> Plan:
        key = tuple(detector.key for detector in detectors)
        with self.lock:
            plan = self.plans.pop(key, None) or Plan(detectors)
            self.plans[key] = plan
            while len(self.plans) > _PLANS:
                del self.plans[next(iter(self.plans))]
            return plan


@dataclass(frozen=True, slots=True)
class RunService:
    """Use cases on runs."""

    _parts: Parts
    _logs: LogStore
    _alerts: AlertStore
    _store: DetectorStore
    _rules: RuleService
    _cache: RuleCache
    _plans: _Plans = field(default_factory=_Plans)

    def tick(self) -> bool:
        """Do one step of the enabled detectors if nobody else is at it; True if one was due."""
        lease = self._acquire()
        if lease is None:
            return False
        try:
            return self._step(self._rules.enabled(), lease) is not None
        finally:
            self._parts.leases.release(lease)

    def run_detectors(
        self, actor: Actor, window: Window, files: Sequence[RuleFile] | None = None
    ) -> RunResult:
        """Evaluate over all that is stored and return the alerts of ``window``.

        ``files`` are other rules than this instance's. Alerts found before are not raised
        again; they are in the answer. Raises ``NoRules``, ``DetectorsBusy``.
        """
        self._parts.access.require(actor, RUN_DETECTORS)
        detectors = self._rules.enabled() if files is None else self._foreign(files)
        new = self._catch_up(detectors)
        alerts = tuple(self._alerts_of({d.header.id for d in detectors}, window))
        events = self._count(window)
        details = {"rules": len(detectors), "events": events, "new": new}
        act = Act("detectors.run_detectors", actor, "detectors:run", details=details)
        self._parts.transactions.run(lambda tx: tx.record(act))
        return RunResult(alerts, new, len(detectors), events)

    def forget_matches(self, days: int) -> int:
        """Drop what correlations counted more than ``days`` ago, as its events are gone too."""
        before = self._parts.clock.now() - days * DAY
        return self._parts.transactions.run(lambda tx: self._store.drop_matches(tx, before))

    def list_unscanned(self, actor: Actor) -> Sequence[Unscanned]:
        """Return what enabled detectors have not seen yet, the oldest first."""
        self._parts.access.require(actor, RULE_READ)
        last = self._logs.last_seq()
        positions = self._positions(self._rules.enabled())
        waiting = [
            Unscanned(*detector.key, detector.header.title, position, last)
            for detector, position in positions
            if position <= last
        ]
        return sorted(waiting, key=lambda each: (each.first_seq, each.detector))

    def list_evaluations(self, actor: Actor, page: PageRequest) -> Page[Evaluation]:
        """Return which version of which rule ran over which events."""
        self._parts.access.require(actor, RULE_READ)
        rows = self._parts.transactions.read(lambda tx: self._store.evaluations(tx, page))
        keys = [(row.detector, row.version, row.first_seq) for row in rows]
        return page_of(rows, page.limit, keys)

    def _foreign(self, files: Sequence[RuleFile]) -> tuple[Detector, ...]:
        detectors, _ = detectors_of(compile_rules(files, self._cache))
        if not detectors:
            raise NoRules
        return detectors

    def _acquire(self) -> Lease | None:
        return self._parts.leases.acquire(LEASE, self._parts.ids.new("run"), LEASE_SECONDS)

    def _catch_up(self, detectors: Sequence[Detector]) -> int:
        """Do all steps that are due; return how many alerts they raised."""
        lease = self._wait_for_lease()
        raised = 0
        try:
            while (new := self._step(detectors, lease)) is not None:
                raised += new
                renewed = self._parts.leases.renew(lease, LEASE_SECONDS)
                lease = renewed or self._wait_for_lease()
        finally:
            self._parts.leases.release(lease)
        return raised

    def _wait_for_lease(self) -> Lease:
        started = self._parts.clock.monotonic()
        pause = threading.Event()
        while (lease := self._acquire()) is None:
            if self._parts.clock.monotonic() - started > PATIENCE:
                raise DetectorsBusy
            pause.wait(0.1)
        return lease

    def _positions(self, detectors: Iterable[Detector]) -> list[tuple[Detector, int]]:
        cursors = self._parts.transactions.read(self._store.cursors)
        return [(detector, cursors.get(detector.key, 1)) for detector in detectors]

    def _step(self, detectors: Sequence[Detector], lease: Lease) -> int | None:
        """Let those that are furthest behind see the next events; None if nothing was due.

        Detectors that stand at the same place are asked together; who is behind stops where
        the next group stands, so that they meet and go on together.
        """
        last = self._logs.last_seq()
        positions = self._positions(detectors)
        low = min((position for _, position in positions), default=last + 1)
        if low > last:
            return None
        group = [detector for detector, position in positions if position == low]
        ahead = min((p for _, p in positions if p > low), default=last + 1)
        high = min(ahead - 1, last, low + STEP - 1)
        batch = next(iter(self._logs.scan(low, high)), None)
        if batch is None or not len(batch):
            return self._commit(group, (low, high), 0, Effects(), lease)
        findings, failures = self._plans.of(group).find(batch)
        now = self._parts.clock.now()
        assessor = Assessor(self._parts.transactions, self._logs, self._alerts, self._store)
        effects = assessor.assess(batch, findings, failures, now)
        return self._commit(group, (low, batch.seqs[-1]), len(batch), effects, lease)

    def _commit(
        self,
        group: Sequence[Detector],
        seen: tuple[int, int],
        events: int,
        effects: Effects,
        lease: Lease,
    ) -> int:
        """Write effects and cursors together; return how many alerts are new.

        Where another process was there first nothing of this step is kept.
        """

        def work(tx: Transaction) -> int:
            for detector in group:
                cursor = Cursor(*detector.key, seen[0])
                if not self._store.advance(tx, cursor, seen[1] + 1, lease.fence):
                    raise _Stale
                matches = effects.matches.get(detector.key, [])
                if matches:
                    self._store.add_matches(tx, cursor, ROOT_ORG, matches)
                hits = effects.hits.get(detector.key, 0)
                done = Evaluation(*detector.key, *seen, events, hits, tx.now)
                self._store.record_evaluation(tx, done)
            return len(write_effects(tx, self._alerts, effects))

        try:
            return self._parts.transactions.run(work)
        except _Stale:
            return 0

    def _alerts_of(self, rule_ids: set[str], window: Window) -> Iterable[Alert]:
        page = PageRequest(limit=MAX_LIMIT)
        wanted = AlertFilter(since=window.since)
        while True:
            rows = self._parts.transactions.read(
                lambda tx, page=page: self._alerts.page(tx, ROOT_ORG, wanted, page)  # type: ignore[misc]
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
