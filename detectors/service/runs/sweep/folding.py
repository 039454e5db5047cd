"""Portions of plain rules' findings as alerts: the folding of ``grouping``, many events at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from detectors.core.alert_grouping import Growth, begins, fold_id, grown, window_of
from detectors.core.alert_ids import alert_id
from detectors.core.detection import Asked
from detectors.core.engine.explain import Explainer
from detectors.core.portions import Portion
from detectors.core.subjects import subjects_of
from detectors.models.alerts import Alert
from detectors.ports import AlertStore, HitStore
from detectors.service.triage.effects import Effects
from detectors.service.triage.findings import event_alert
from detectors.service.triage.grouping import Folded, first_ids
from secops.kernel.logs import LogStore
from secops.kernel.transactions import Transaction, Transactions


@dataclass(frozen=True, slots=True)
class PortionFolder:
    """Makes alerts of portions; reads, never writes."""

    transactions: Transactions
    logs: LogStore
    alerts: AlertStore
    hits: HitStore

    def fold(
        self, effects: Effects, portions: Sequence[Portion], asked: Sequence[Asked], now: int
    ) -> Folded:
        """Return ``effects`` with the alerts of ``portions``; known events count once."""
        named = {_id_of(portion, asked): portion for portion in portions}
        created, changed = list(effects.created), list(effects.changed)
        hits: list[tuple[str, str, int]] = []

        def read(tx: Transaction) -> list[tuple[str, Portion, Alert | None]]:
            stored = self.alerts.found(tx, list(named))
            known = {each: named[each].hits for each in stored}
            counted = self.hits.known_hits(tx, known)
            rules = {asked[portion.key[0]][0].header.id for portion in portions}
            first = min((portion.hits[0][0] for portion in portions), default=0)
            last = max((portion.hits[-1][0] for portion in portions), default=0)
            single = {
                (rule_id, event)
                for rule_id, identifier, event in self.alerts.single_events(tx, rules, first, last)
                if identifier == alert_id(rule_id, (), event)
            }
            left = []
            for identifier, portion in named.items():
                rule_id = asked[portion.key[0]][0].header.id
                new = [
                    (at, event)
                    for at, event in portion.hits
                    if (identifier, event) not in counted and (rule_id, event) not in single
                ]
                if new:
                    left.append((identifier, replace(portion, hits=new), stored.get(identifier)))
            return left

        growing = self.transactions.read(read)
        grew = [(old, new.hits) for _, new, old in growing if old is not None]
        ids = self.transactions.read(lambda tx: first_ids(tx, self.hits, grew))
        firsts = self._firsts(growing, asked)
        for identifier, portion, old in growing:
            hits.extend((identifier, event, at) for at, event in portion.hits)
            first = self._first(portion, firsts, asked, now)
            last_at, count = portion.hits[-1][0], len(portion.hits)
            growth = Growth(identifier, portion.key[1], first, last_at, count)
            if old is None:
                created.append(grown(growth, None, [event for _, event in portion.hits]))
                continue
            changed.append(grown(growth, old, ids[old.id]))
        return Folded(replace(effects, created=created, changed=changed), tuple(hits))

    def _first(
        self, portion: Portion, firsts: Mapping[str, Portion], asked: Sequence[Asked], now: int
    ) -> Alert:
        at, event = portion.hits[0]
        shown = firsts.get(event + f"/{portion.key[0]}", portion)
        alert = event_alert(asked[portion.key[0]][0], now, event, at)
        return replace(alert, subjects=shown.subjects, reasons=shown.reasons or ())

    def _firsts(
        self, growing: Sequence[tuple[str, Portion, Alert | None]], asked: Sequence[Asked]
    ) -> Mapping[str, Portion]:
        """Explain the first events that nobody did but that will be shown."""
        wanted = [
            portion
            for _, portion, old in growing
            if (portion.reasons is None or portion.event != portion.hits[0][1])
            and begins(old, *portion.hits[0])
        ]
        events = {
            stored.event.id: stored.event
            for stored in self.logs.get(list({portion.hits[0][1] for portion in wanted}))
        }
        found = {}
        for portion in wanted:
            position, first = portion.key[0], portion.hits[0][1]
            event = events.get(first)
            if event is None:
                continue
            reasons = Explainer(asked[position][1].tree).explain(event.fields, event.raw)
            subjects = subjects_of(event.fields)
            found[f"{first}/{position}"] = replace(portion, subjects=subjects, reasons=reasons)
        return found


def _id_of(portion: Portion, asked: Sequence[Asked]) -> str:
    """Return the id of the alert that a portion belongs to."""
    position, entity, window = portion.key
    header = asked[position][0].header
    if isinstance(window, str):
        return alert_id(header.id, (), window)
    return fold_id(header.id, entity, window_of(header.custom), window)
