"""What one step of the detectors changes: decided before the transaction, written in one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from detectors.core.alert_ids import alert_id
from detectors.core.correlation.grouping import Grouper, group_key, group_text
from detectors.core.correlation.model import Correlation
from detectors.core.detection import Detector, Failure, Finding, hits_of
from detectors.core.engine.explain import Explainer
from detectors.core.engine.tables import row_fields
from detectors.core.subjects import risk_subjects
from detectors.models.alerts import Alert, GroupMatch
from detectors.models.correlation import Episode
from detectors.ports import AlertStore, DetectorStore
from detectors.service.findings import (
    Fields,
    SeenEvent,
    episode_alert,
    failure_alert,
    finding_alert,
    group_episodes,
)
from detectors.service.risks import publish_risk
from secops.kernel.actors import system_actor
from secops.kernel.events import AlertRaised
from secops.kernel.logs import Batch, LogStore
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction, Transactions

_ACTOR = system_actor("detectors")


@dataclass(slots=True)
class Effects:
    """New alerts, alerts that grew, and matches to keep, by the detector they belong to."""

    created: list[Alert] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)
    matches: dict[tuple[str, str], list[GroupMatch]] = field(default_factory=dict)
    hits: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Assessor:
    """Turns findings into effects; reads, never writes."""

    transactions: Transactions
    logs: LogStore
    alerts: AlertStore
    detectors: DetectorStore

    def assess(
        self, batch: Batch, findings: Sequence[Finding], failures: Sequence[Failure], now: int
    ) -> Effects:
        """Return what ``findings`` in ``batch`` change."""
        effects = Effects(created=[failure_alert(failure, now) for failure in failures])
        plain: list[Finding] = []
        counted: dict[tuple[str, str], list[Finding]] = {}
        for finding in findings:
            key = finding.detector.key
            effects.hits[key] = effects.hits.get(key, 0) + 1
            if finding.detector.correlation is None:
                plain.append(finding)
                continue
            counted.setdefault(key, []).append(finding)
        effects.created.extend(self._new_alerts(batch, plain, now))
        for key, mine in counted.items():
            detector = mine[0].detector
            if detector.correlation is not None and detector.correlation.type == "event_count":
                grouper = Grouper(detector.correlation)
                found = [m for hit in hits_of(batch, mine) for m in grouper.matches_of(hit)[0]]
                effects.matches[key] = [
                    GroupMatch(group_text(m.group), m.at, m.event_id) for m in found
                ]
                self._count(detector, detector.correlation, effects.matches[key], effects, now)
        return effects

    def _new_alerts(self, batch: Batch, findings: Sequence[Finding], now: int) -> Iterable[Alert]:
        ids = [alert_id(f.detector.header.id, (), batch.ids[f.row]) for f in findings]
        known = self.transactions.read(lambda tx: self.alerts.known(tx, ids))
        explainers: dict[str, Explainer] = {}
        for finding, identifier in zip(findings, ids, strict=True):
            if identifier not in known:
                rule = finding.rule
                explainer = explainers.get(rule.header.id) or Explainer(rule.tree)
                explainers[rule.header.id] = explainer
                row = finding.row
                fields = row_fields(batch, row)
                event = SeenEvent(batch.ids[row], batch.times[row], fields, batch.raws[row])
                yield finding_alert(finding, event, explainer, now)

    def _count(
        self,
        detector: Detector,
        correlation: Correlation,
        found: Sequence[GroupMatch],
        effects: Effects,
        now: int,
    ) -> None:
        by_group: dict[str, list[GroupMatch]] = {}
        for match in found:
            by_group.setdefault(match.group, []).append(match)
        for group, fresh in by_group.items():
            key = group_key(group)
            known, nearby = self._around(detector, correlation, group, fresh)
            everything = {(m.at, m.event_id) for m in fresh} | nearby
            for episode in group_episodes(correlation, everything):
                mine = [a for a in known if _overlap(a, episode)]
                self._settle(detector, (episode, key, mine), effects, now)

    def _around(
        self,
        detector: Detector,
        correlation: Correlation,
        group: str,
        fresh: Sequence[GroupMatch],
    ) -> tuple[Sequence[Alert], set[tuple[int, str]]]:
        """Return a group's alerts near ``fresh`` and all matches that can touch them."""
        span = correlation.timespan
        low = min(match.at for match in fresh) - span
        high = max(match.at for match in fresh) + span
        rule_id, key = detector.header.id, group_key(group)

        def read(tx: Transaction) -> tuple[Sequence[Alert], set[tuple[int, str]]]:
            window, wider = (low + 1, high), (low, high)
            while wider != window:  # an alert that is seen in part would be raised again
                window = wider
                alerts = self.alerts.overlapping(tx, rule_id, key, window)
                first = min((alert.first_at - span for alert in alerts), default=low)
                last = max((alert.last_at + span for alert in alerts), default=high)
                wider = (min(low, first), max(high, last))
            found = self.detectors.matches(tx, detector.key, group, window)
            return alerts, {(match.at, match.event_id) for match in found}

        return self.transactions.read(read)

    def _settle(
        self,
        detector: Detector,
        found: tuple[Episode, tuple[str, ...], Sequence[Alert]],
        effects: Effects,
        now: int,
    ) -> None:
        """Create the alert of an episode, or extend the one that is there and merge others."""
        episode, key, known = found
        bounds = (episode.first_at, episode.last_at, len(episode.matches))
        if len(known) == 1 and bounds == (
            known[0].first_at,
            known[0].last_at,
            known[0].event_count,
        ):
            return
        events = self._fields([match.event_id for match in episode.matches])
        alert = episode_alert(detector, episode, key, events=events, now=now)
        if not known:
            effects.created.append(alert)
            return
        oldest, *others = known
        merged = (*oldest.superseded, *(other.id for other in others))
        effects.changed.append(_grown(oldest, alert, merged))
        effects.changed.extend(replace(other, status="superseded") for other in others)

    def _fields(self, event_ids: Sequence[str]) -> list[Fields]:
        return [stored.event.fields for stored in self.logs.get(event_ids[:100])]


def _overlap(alert: Alert, episode: Episode) -> bool:
    return alert.first_at <= episode.last_at and episode.first_at <= alert.last_at


def _grown(old: Alert, new: Alert, superseded: tuple[str, ...]) -> Alert:
    """Return ``old`` with the extent of ``new``; events after its closing open it again."""
    reopened = old.closed_at is not None and new.last_at > old.closed_at
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
    """Store, record and announce what is new; return the alerts that were."""
    new = []
    for alert in effects.created:
        subjects = risk_subjects(alert.subjects)
        if store.create(tx, alert, subjects):
            new.append(alert)
            _tell(tx, store, alert, "detectors.raise_alert")
    for alert in effects.changed:
        store.change(tx, alert, risk_subjects(alert.subjects))
        if alert.status == "superseded":
            details = {"rule": alert.rule_id}
            tx.record(
                Act("detectors.supersede_alert", _ACTOR, f"alert:{alert.id}", details=details)
            )
        else:
            _tell(tx, store, alert, "detectors.extend_alert")
    return new


def _tell(tx: Transaction, store: AlertStore, alert: Alert, action: str) -> None:
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
    announce_risks(tx, store, alert, f"alert {alert.id}: {alert.title}")


def announce_risks(tx: Transaction, store: AlertStore, alert: Alert, reason: str) -> None:
    """Tell the risk that the open alerts now say of each of the alert's subjects."""
    for subject in risk_subjects(alert.subjects):
        publish_risk(tx, store, alert.org_id, subject, reason)
