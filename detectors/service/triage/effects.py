"""What one step of the detectors changes: decided before the transaction, written in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from detectors.core.alert_ids import alert_id
from detectors.core.correlation.grouping import Hit
from detectors.core.correlation.reconcile import Change
from detectors.core.detection import Detector, Finding, hits_of
from detectors.core.engine.explain import Explainer
from detectors.core.engine.tables import row_fields
from detectors.core.subjects import risk_subjects
from detectors.models.alerts import Alert, AlertStatus, Reason
from detectors.models.correlation import Group, Notes
from detectors.ports import AlertStore, CorrelationStore
from detectors.service.correlation.correlating import Correlator
from detectors.service.triage.findings import (
    Fields,
    episode_alert,
    finding_alert,
)
from detectors.service.triage.risks import publish_risks
from secops.kernel.actors import ROOT_ORG, system_actor
from secops.kernel.events import AlertRaised
from secops.kernel.logs import Batch, LogStore
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction, Transactions

_ACTOR = system_actor("detectors")
_GONE = frozenset({"revised", "superseded"})
_ACTIONS = {
    "superseded": "detectors.supersede_alert",
    "revised": "detectors.revise_alert",
}


@dataclass(slots=True)
class Effects:
    """New alerts, alerts that changed, what correlations keep, and hits by detector.

    ``more`` says that settling is not done: another step has groups to judge. ``plain`` are
    the findings behind the alerts of plain rules, by the alert's id: most of these are folded
    into others, so their reasons are made when they are known to be shown.
    """

    created: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    notes: list[Notes] = field(default_factory=list)
    hits: dict[tuple[str, str], int] = field(default_factory=dict)
    more: bool = False
    plain: dict[str, Callable[[], tuple[Reason, ...]]] = field(default_factory=dict)

    def explained(self, alert: Alert) -> Alert:
        """Return a plain rule's ``alert`` with its reasons."""
        return replace(alert, reasons=self.plain[alert.id]())


@dataclass(frozen=True, slots=True)
class Assessor:
    """Turns findings into effects; reads, never writes."""

    transactions: Transactions
    logs: LogStore
    alerts: AlertStore
    correlations: CorrelationStore

    def assess(self, batch: Batch, findings: Sequence[Finding], now: int) -> Effects:
        """Return what ``findings`` in ``batch`` change."""
        effects = Effects()
        plain: list[Finding] = []
        counted: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            key = finding.detector.key
            effects.hits[key] = effects.hits.get(key, 0) + 1
            if finding.detector.correlation is None:
                plain.append(finding)
            else:
                counted.setdefault(key, []).append(finding)
        self._raise(effects, batch, plain, now)
        for mine in counted.values():
            self.judge(effects, mine[0].detector, hits_of(batch, mine), None, now)
        return effects

    def settle(self, detectors: Iterable[Detector], watermark: int, now: int) -> Effects:
        """Return what is certain now that every event before ``watermark`` is known.

        Only conditions that don't rise, and absences, wait for that.
        """
        effects = Effects()
        for detector in detectors:
            if any(not correlation.rising for correlation in detector.chain):
                self.judge(effects, detector, (), watermark, now)
        return effects

    def judge(
        self,
        effects: Effects,
        detector: Detector,
        hits: Sequence[Hit],
        watermark: int | None,
        now: int,
    ) -> None:
        """Add what ``hits`` of ``detector`` (or the watermark, for what waits) change."""
        correlator = Correlator(self.alerts, self.correlations)
        outcome = self.transactions.read(lambda tx: correlator.judge(tx, detector, hits, watermark))
        effects.more = effects.more or outcome.more
        effects.notes.extend(each for each in outcome.notes if each.any)
        for group, change in outcome.changes:
            self._change(effects, detector, (group, change), outcome.alerts, now)

    def _raise(self, effects: Effects, batch: Batch, findings: Sequence[Finding], now: int) -> None:
        if not findings:
            return
        ids = [alert_id(f.detector.header.id, (), batch.ids[f.row]) for f in findings]
        known = self.transactions.read(lambda tx: self.alerts.known(tx, ids))
        explainers: dict[str, Explainer] = {}
        for finding, identifier in zip(findings, ids, strict=True):
            if identifier not in known:
                alert = finding_alert(finding, batch, now)
                effects.created.append(alert)
                effects.plain[alert.id] = partial(_reasons, explainers, finding, batch)

    def _change(
        self,
        effects: Effects,
        detector: Detector,
        found: tuple[Group, Change],
        alerts: dict[str, Alert],
        now: int,
    ) -> None:
        """Create an episode's alert, extend or merge the one that is there, or take it back."""
        group, change = found
        old = None if change.known is None else alerts[change.known.id]
        if change.episode is None:
            if old is not None:
                status: AlertStatus = "superseded" if change.kind == "supersede" else "revised"
                effects.changed.append(replace(old, status=status))
            return
        events = self._fields([match.event_id for match in change.episode.matches])
        alert = episode_alert(detector, change.episode, group, events=events, now=now)
        if old is None:
            alert, old = self._place(alert)
        if old is None:
            effects.created.append(alert)
            return
        merged = (*old.superseded, *(other.id for other in change.superseded))
        effects.changed.append(_grown(old, alert, tuple(dict.fromkeys(merged))))

    def _place(self, alert: Alert) -> tuple[Alert, Alert | None]:
        """Return a new alert under an id that is free, or with what was taken back under it.

        An id is in use where its episode has moved away from the event that named it.
        """

        def read(tx: Transaction) -> tuple[Alert, Alert | None]:
            placed, number = alert, 1
            while self.alerts.known(tx, [placed.id]):
                there = self.alerts.get(tx, placed.id)
                if there.status in _GONE:
                    return placed, there
                number += 1
                named = (*alert.group, *alert.event_ids[:1])
                placed = replace(alert, id=alert_id(alert.rule_id, named, f"number {number}"))
            return placed, None

        return self.transactions.read(read)

    def _fields(self, event_ids: Sequence[str]) -> list[Fields]:
        return [stored.event.fields for stored in self.logs.get(event_ids[:100])]


def _reasons(
    explainers: dict[str, Explainer], finding: Finding, batch: Batch
) -> tuple[Reason, ...]:
    """Return why a plain rule holds for its row; ``explainers`` are those made so far."""
    rule, row = finding.rule, finding.row
    explainer = explainers.get(rule.header.id) or Explainer(rule.tree)
    explainers[rule.header.id] = explainer
    return explainer.explain(row_fields(batch, row), batch.raws[row])


def _grown(old: Alert, new: Alert, superseded: tuple[str, ...]) -> Alert:
    """Return ``old`` with the extent of ``new``; events after its closing open it again.

    What was taken back, or superseded, and is found again is open again, too.
    """
    gone = old.status in _GONE
    reopened = gone or (old.closed_at is not None and new.last_at > old.closed_at)
    return replace(
        new,
        id=old.id,
        raised_at=old.raised_at,
        status="open" if reopened else old.status,
        superseded=superseded,
        closed_at=None if reopened else old.closed_at,
        closed_by=None if reopened else old.closed_by,
        close_reason=old.close_reason,
    )


def write_effects(tx: Transaction, store: AlertStore, effects: Effects) -> list[Alert]:
    """Store, record and announce what is new; return the alerts that were.

    The risk of a subject is told once, after all alerts that concern it.
    """
    created = store.create_many(tx, [_with_subjects(alert) for alert in effects.created])
    waiting = set(created)
    new = []
    for alert in effects.created:
        if alert.id in waiting:
            waiting.discard(alert.id)
            new.append(alert)
    store.change_many(tx, [_with_subjects(alert) for alert in effects.changed])
    for alert in new:
        _tell(tx, alert, "detectors.raise_alert")
    for alert in effects.changed:
        _tell(tx, alert, _ACTIONS.get(alert.status, "detectors.extend_alert"))
    reasons: dict[str, dict[str, str]] = {}
    for alert in (*new, *effects.changed):
        mine = reasons.setdefault(alert.org_id, {})
        for subject in risk_subjects(alert.subjects):
            mine[subject] = f"alert {alert.id}: {alert.title}"
    for org_id, said in reasons.items():
        publish_risks(tx, store, org_id, said)
    return new


def _with_subjects(alert: Alert) -> tuple[Alert, tuple[str, ...]]:
    return alert, risk_subjects(alert.subjects)


def write_notes(tx: Transaction, store: CorrelationStore, effects: Effects) -> bool:
    """Write what correlations keep; False if another process was there first."""
    return all(store.write(tx, ROOT_ORG, notes) for notes in effects.notes)


def _tell(tx: Transaction, alert: Alert, action: str) -> None:
    details = {
        "rule": alert.rule_id,
        "version": alert.rule_version,
        "severity": alert.severity,
        "events": alert.event_count,
    }
    tx.record(Act(action, _ACTOR, f"alert:{alert.id}", details=details))
    if action == "detectors.raise_alert":
        tx.announce(
            AlertRaised(alert.org_id, alert.id, alert.rule_id, alert.severity, dict(alert.subjects))
        )


def announce_risks(tx: Transaction, store: AlertStore, alert: Alert, reason: str) -> None:
    """Tell the risk that the open alerts now say of each of the alert's subjects."""
    publish_risks(tx, store, alert.org_id, dict.fromkeys(risk_subjects(alert.subjects), reason))
