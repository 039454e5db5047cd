"""Cards of the entities of an alert: state, risk, last acts and other alerts, as far as allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from detectors.core.entities import Entity, acts_query, entities_of, risk_subject
from detectors.core.events.text import texts_of
from detectors.models.alert_page import EntityCard, EntityState, SeenAct
from detectors.models.alerts import Alert, AlertFilter
from detectors.ports import AlertStore, PrivacyKeys, RiskStore
from detectors.ports.alert_page import EntityStates
from detectors.service.logs.log_search import record_search
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY
from secops.kernel.logs import LogStore, StoredEvent, Window
from secops.kernel.pages import PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import LOG_SEARCH
from secops.kernel.transactions import Transaction

ACTS_DAYS: Final = 7
_ACTS: Final = 5
_ALERTS: Final = 5
_FOREIGN: Final = Text(
    "本平台自身日志未提及,未作对照", "our own log doesn't name it: not looked up here"
)


@dataclass(frozen=True, slots=True)
class EntityCards:
    """Makes cards; an entity of ours whose state the reader may not see has none."""

    parts: Parts
    logs: LogStore
    states: EntityStates
    risks: RiskStore
    alerts: AlertStore
    keys: PrivacyKeys

    def cards_of(
        self, actor: Actor, alert: Alert, events: Sequence[StoredEvent]
    ) -> tuple[EntityCard, ...]:
        """Return the cards, at most ``MAX_CARDS``; that acts were searched for is recorded.

        Only what our own ledger names is looked up among ours: an account of a foreign host
        that is called like one here is somebody else.
        """
        cards: list[EntityCard] = []
        searched: list[str] = []
        for entity in entities_of(alert.subjects, (each.event for each in events)):
            state = self._state(actor, entity)
            if state is None or (state.kind, state.id) in {
                (c.state.kind, c.state.id) for c in cards
            }:
                continue
            searched.append(f"{entity.kind}:{entity.name}")
            subject, acts = risk_subject(entity), self._acts(actor, entity)
            said = partial(self._said, actor=actor, alert=alert, subject=subject)
            risk, others = self.parts.transactions.read(said)
            cards.append(EntityCard(state, subject, risk, acts, others))
        if cards and actor.may(LOG_SEARCH):
            about = ("detectors.search_acts", " ".join(searched))
            record_search(self.parts, self.keys, actor, about)
        return tuple(cards)

    def _state(self, actor: Actor, entity: Entity) -> EntityState | None:
        kind, name, own = entity
        if own:
            return self.states.look(actor, kind, name)
        return EntityState(kind, name, name, _FOREIGN, known=False)

    def _said(
        self, tx: Transaction, *, actor: Actor, alert: Alert, subject: str
    ) -> tuple[int | None, tuple[Alert, ...]]:
        if not subject:
            return None, ()
        page, wanted = PageRequest(_ALERTS), AlertFilter(subject=subject)
        listed = self.alerts.page(tx, actor.org_id, wanted, page)
        others = [each for each in listed if each.id != alert.id]
        return self.risks.of(tx, actor.org_id, subject).risk, tuple(others[:_ALERTS])

    def _acts(self, actor: Actor, entity: Entity) -> tuple[SeenAct, ...] | None:
        if not actor.may(LOG_SEARCH):
            return None
        window = Window(self.parts.clock.now() - ACTS_DAYS * DAY, None)
        return tuple(map(_act, self.logs.search(acts_query(entity), window, _ACTS)))


def _act(stored: StoredEvent) -> SeenAct:
    event = stored.event

    def said(name: str) -> str:
        return texts_of(event.fields.get(name, ""))[0]

    return SeenAct(
        at=event.at,
        source=event.source,
        action=said("event.action") or said("event.type") or said("EventID"),
        outcome=said("event.outcome"),
        target=said("target"),
        event_id=event.id,
    )
