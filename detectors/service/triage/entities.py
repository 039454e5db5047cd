"""Entities and their risk: who is riskiest, how it came, and how it fades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.core.risk import GREATEST_CRITICALITY, LEAST_CRITICALITY
from detectors.models.alerts import Alert, AlertFilter
from detectors.models.triage import EntityRisk, RiskPoint
from detectors.ports import AlertStore, RiskStore
from detectors.service.triage.risks import publish_risk
from secops.kernel.actors import Actor
from secops.kernel.clock import MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions.detectors import ALERT_READ, CRITICALITY_SET
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

FADE_EVERY: Final = 10 * MINUTE
"""How old a published risk may become before it is computed anew."""
_AT_ONCE: Final = 100
_POINTS: Final = 200
_ALERTS: Final = 50
GREATEST_RISK: Final = 100
_MAX_SUBJECT: Final = 500


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity: its risk now, how it came to it, and the alerts about it."""

    risk: EntityRisk
    history: tuple[RiskPoint, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class EntityService:
    """Use cases on entities."""

    parts: Parts
    risks: RiskStore
    alerts: AlertStore

    def list_entities(self, actor: Actor, page: PageRequest, least: int = 1) -> Page[EntityRisk]:
        """Return the entities of at least the risk ``least`` (1 to 100), the riskiest first."""
        self.parts.access.require(actor, ALERT_READ, "entity:*")
        if not 1 <= least <= GREATEST_RISK:
            msg = f"a risk is 1 to {GREATEST_RISK}"
            raise Invalid(msg)
        rows = self.parts.transactions.read(
            lambda tx: self.risks.riskiest(tx, actor.org_id, page, least)
        )
        return page_of(rows, page.limit, [(row.risk, row.subject) for row in rows])

    def show_entity(self, actor: Actor, subject: str) -> Entity:
        """Return an entity; one that nobody has heard of has no risk and no alerts."""
        subject = _checked(subject)
        self.parts.access.require(actor, ALERT_READ, f"entity:{subject}")

        def read(tx: Transaction) -> Entity:
            wanted, page = AlertFilter(subject=subject), PageRequest(_ALERTS)
            return Entity(
                self.risks.of(tx, actor.org_id, subject),
                tuple(self.risks.history(tx, actor.org_id, subject, _POINTS)),
                tuple(self.alerts.page(tx, actor.org_id, wanted, page)[:_ALERTS]),
            )

        return self.parts.transactions.read(read)

    def set_criticality(
        self, actor: Actor, subject: str, criticality: float, reason: str
    ) -> EntityRisk:
        """Say how much is at stake with an entity; its risk follows at once."""
        subject = _checked(subject)
        if not LEAST_CRITICALITY <= criticality <= GREATEST_CRITICALITY or not reason.strip():
            msg = (
                f"criticality lies between {LEAST_CRITICALITY} and {GREATEST_CRITICALITY}, "
                "and needs a reason"
            )
            raise Invalid(msg)
        self.parts.access.require(actor, CRITICALITY_SET, f"entity:{subject}")
        hundredths = round(criticality * 100)

        def work(tx: Transaction) -> EntityRisk:
            self.risks.set_criticality(tx, actor.org_id, (subject, hundredths), actor.id)
            details = {"hundredths": hundredths, "reason": reason[:500]}
            tx.record(Act("detectors.set_criticality", actor, f"entity:{subject}", details=details))
            publish_risk(tx, self.alerts, actor.org_id, subject, "criticality changed")
            return self.risks.of(tx, actor.org_id, subject)

        return self.parts.transactions.run(work)

    def fade_risks(self) -> bool:
        """Publish what time has made of old risks; True when more are waiting."""
        before = self.parts.clock.now() - FADE_EVERY
        stale = self.parts.transactions.read(lambda tx: self.risks.stale(tx, before, _AT_ONCE))
        if not stale:
            return False

        def work(tx: Transaction) -> None:
            for org_id, subject in stale:
                if not publish_risk(tx, self.alerts, org_id, subject, "time passed"):
                    self.risks.touch(tx, org_id, subject)

        self.parts.transactions.run(work)
        return len(stale) == _AT_ONCE


def _checked(subject: str) -> str:
    if ":" not in subject or len(subject) > _MAX_SUBJECT:
        msg = "an entity is written account:NAME, address:ADDRESS or session:ID"
        raise Invalid(msg)
    return subject
