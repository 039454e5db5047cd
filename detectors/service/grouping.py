"""Alerts of plain rules before they are written: folded by rule, entity and hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from detectors.core.alert_grouping import Fold, fold_alerts, grown
from detectors.models.alerts import MAX_EVIDENCE, Alert
from detectors.ports import AlertStore, HitStore
from detectors.service.effects import Effects
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
            for fold in folds:
                new = tuple(a for a in fold.alerts if (fold.id, a.event_ids[0]) not in counted)
                if not new:
                    continue
                hits.extend((fold.id, alert.event_ids[0], alert.first_at) for alert in new)
                old = stored.get(fold.id)
                # an alert shows the reasons of its earliest event: no other is explained
                if old is None or new[0].first_at < old.first_at:
                    new = (effects.explained(new[0]), *new[1:])
                fresh = replace(fold, alerts=new)
                if old is None:
                    created.append(grown(fresh, None, [a.event_ids[0] for a in new]))
                else:
                    changed.append(grown(fresh, old, self._first_ids(tx, fresh, old)))

        self.transactions.read(read)
        return Folded(replace(effects, created=created, changed=changed), tuple(hits))

    def _first_ids(self, tx: Transaction, fold: Fold, old: Alert) -> Sequence[str]:
        """Return the ids of the earliest events, stored and new ones together."""
        if old.event_count <= MAX_EVIDENCE or fold.alerts[0].first_at < old.last_at:
            known = self.hits.first_hits(tx, fold.id, MAX_EVIDENCE)
        else:
            return old.event_ids
        new = [(alert.first_at, alert.event_ids[0]) for alert in fold.alerts]
        return [identifier for _, identifier in sorted([*known, *new])]
