"""The incident that an alert belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.models import Incident
from playbooks.service.incidents.linking import linked_incident
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import INCIDENT_READ
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class AlertIncidents:
    """Looks up incidents by their alerts."""

    surroundings: Surroundings

    def incident_of(self, actor: Actor, alert_id: str) -> Incident | None:
        """Return the incident of the actor's organisation that an alert is linked to, if any."""
        self.surroundings.parts.access.require(actor, INCIDENT_READ, f"alert:{alert_id}")
        return self.surroundings.parts.transactions.read(
            lambda tx: linked_incident(self.surroundings, tx, actor.org_id, alert_id)
        )

    def count_open(self, tx: Transaction, org_id: str) -> int:
        """Return how many incidents of an organisation are open, without drills."""
        return self.surroundings.stores.incidents.count_open(tx, org_id)
