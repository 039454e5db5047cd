"""Alerts of plain rules before they are written: folded by rule, entity and hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.alert_grouping import Growth, begins, fold_alerts, grown, growth_of
from detectors.models.alerts import MAX_EVIDENCE, Alert
from detectors.ports import AlertStore, HitStore
from detectors.service.triage.effects import Effects
from secops.kernel.transactions import Transaction, Transactions

PLAIN: Final = "rule"


@dataclass(frozen=True, slots=True)
class Folded:
    """Effects with folded alerts, and the events that they count: (alert id, event id, time)."""

    effects: Effects
    hits: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class Folder:
    """Folds alerts; reads, never writes."""

    transactions: Transactions
    alerts: AlertStore
    hits: HitStore

    def fold(self, effects: Effects) -> Folded:
        """Return ``effects`` with an alert per rule, entity and hour; known events count once."""
        plain = [alert for alert in effects.created if alert.kind == PLAIN]
        if not plain:
            return Folded(effects, ())
        created = [alert for alert in effects.created if alert.kind != PLAIN]
        changed = list(effects.changed)
        hits: list[tuple[str, str, int]] = []

        def read(tx: Transaction) -> None:
            folds = fold_alerts(plain)
            stored = self.alerts.found(tx, [fold.id for fold in folds])
            ids = {
                fold.id: [(alert.first_at, alert.event_ids[0]) for alert in fold.alerts]
                for fold in folds
                if fold.id in stored
            }
            counted = self.hits.known_hits(tx, ids)
            grew: list[tuple[Growth, Alert, list[tuple[int, str]]]] = []
            for fold in folds:
                new = tuple(a for a in fold.alerts if (fold.id, a.event_ids[0]) not in counted)
                if not new:
                    continue
                hits.extend((fold.id, alert.event_ids[0], alert.first_at) for alert in new)
                old = stored.get(fold.id)
                # an alert shows the reasons of its earliest event: no other is explained
                if begins(old, new[0].first_at, new[0].event_ids[0]):
                    new = (effects.explained(new[0]), *new[1:])
                growth = growth_of(replace(fold, alerts=new))
                events = [(alert.first_at, alert.event_ids[0]) for alert in new]
                if old is None:
                    created.append(grown(growth, None, [event for _, event in events]))
                else:
                    grew.append((growth, old, events))
            firsts = first_ids(tx, self.hits, [(old, events) for _, old, events in grew])
            changed.extend(grown(growth, old, firsts[old.id]) for growth, old, _ in grew)

        self.transactions.read(read)
        return Folded(replace(effects, created=created, changed=changed), tuple(hits))


def first_ids(
    tx: Transaction, store: HitStore, growing: Sequence[tuple[Alert, Sequence[tuple[int, str]]]]
) -> Mapping[str, Sequence[str]]:
    """Return the ids of the earliest events of each alert: those stored and new ones, by time."""
    open_ends = [
        (old, events)
        for old, events in growing
        if old.event_count <= MAX_EVIDENCE or events[0][0] <= old.last_at
    ]
    known = store.first_hits(tx, [old.id for old, _ in open_ends], MAX_EVIDENCE)
    found: dict[str, Sequence[str]] = {old.id: old.event_ids for old, _ in growing}
    for old, events in open_ends:
        found[old.id] = [each for _, each in sorted([*known.get(old.id, ()), *events])]
    return found
