"""An alert told whole: one sentence, why, its lines, whom it is about, and what others decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.core.detection import Plan
from detectors.core.engine.explain import Explainer
from detectors.core.engine.tables import batch_of
from detectors.core.entities import common_fields
from detectors.core.formats.record import decode_line
from detectors.core.telling.reasons import why_of
from detectors.core.telling.sentences import sentence_of
from detectors.models.alert_page import (
    MAX_LINES,
    MAX_RAW,
    Closings,
    CountedRule,
    Explanation,
    Place,
    RawLine,
)
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.privacy import DATA_CLASSES
from detectors.ports.alert_page import AlertIncidents, AlertPageStore
from detectors.service.rules.standing import RuleStandings
from detectors.service.triage.alerts import AlertService
from detectors.service.triage.entity_cards import EntityCards
from detectors.service.triage.filters import settled
from secops.crypto.hashes import sha256, sm3
from secops.kernel.actors import Actor
from secops.kernel.logs import StoredEvent
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import RULE_READ
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class AlertPageService:
    """Tells all there is to an alert; it changes nothing."""

    parts: Parts
    alerts: AlertService
    store: AlertPageStore
    standings: RuleStandings
    cards: EntityCards
    incidents: AlertIncidents

    def explain_alert(self, actor: Actor, alert_id: str, view: AlertFilter) -> Explanation:
        """Return what is to be told of an alert; ``view`` says which list it stands in.

        Raises ``AlertNotFound``. What the reader may not see is None or left out.
        """
        shown = self.alerts.show_alert(actor, alert_id)
        alert, events = shown.alert, shown.events

        def read(tx: Transaction) -> tuple[Closings, Closings, Place, str | None]:
            return (
                self.store.closings(tx, alert, same_entity=False),
                self.store.closings(tx, alert, same_entity=True),
                self.store.place(tx, actor.org_id, settled(view, actor, tx.now), alert),
                self.store.closing_action(tx, alert),
            )

        same_rule, same_entity, place, bulk_action = self.parts.transactions.read(read)
        return Explanation(
            alert=alert,
            sentence=sentence_of(alert),
            why=why_of(alert),
            counted=self._counted(actor, alert, events),
            lines=tuple(_line(each) for each in events[:MAX_LINES]),
            missing=len(set(alert.event_ids)) - len(events),
            same_rule=same_rule,
            same_entity=same_entity,
            cards=self.cards.cards_of(actor, alert, events),
            rule=self.standings.standing_of(actor, alert),
            place=place,
            incident=self.incidents.incident_of(actor, alert_id),
            bulk_action=bulk_action,
        )

    def suggest_condition(self, actor: Actor, alert_id: str) -> tuple[Alert, dict[str, str]]:
        """Return an alert and the fields of its events that an exception could be about.

        Raises ``AlertNotFound``.
        """
        shown = self.alerts.show_alert(actor, alert_id)
        return shown.alert, common_fields([each.event.fields for each in shown.events])

    def _counted(
        self, actor: Actor, alert: Alert, events: Sequence[StoredEvent]
    ) -> tuple[CountedRule, ...]:
        """Return why the rules that a correlation counts hold, each for its first event.

        It is today's rules that are asked: the alert itself keeps what was measured then.
        """
        if alert.kind != "correlation" or not actor.may(RULE_READ):
            return ()
        detector = self.standings.find_detector(alert.rule_id)
        if detector is None:
            return ()
        shown = [each.event for each in events[:MAX_LINES]]
        findings, _ = Plan([detector], self.parts.clock.monotonic).find(batch_of(shown))
        first = {each.rule.header.id: each for each in reversed(findings)}
        found = []
        for finding in first.values():
            header, event = finding.rule.header, shown[finding.row]
            reasons = Explainer(finding.rule.tree).explain(event.fields, event.raw)
            found.append(CountedRule(header.id, header.title, event.id, reasons))
        return tuple(sorted(found, key=lambda each: each.title))


def _line(stored: StoredEvent) -> RawLine:
    event = stored.event
    raw = decode_line(event.raw)
    return RawLine(
        event_id=event.id,
        at=event.at,
        source=event.source,
        seq=stored.seq,
        raw=raw[:MAX_RAW],
        cut=len(raw) > MAX_RAW,
        masked=DATA_CLASSES in event.fields and "*" in raw,
        sha256=sha256(event.raw).hex(),
        sm3=sm3(event.raw).hex(),
    )
