"""What an incident's page and report show of the work on it."""

from __future__ import annotations

from playbooks.models import Incident
from playbooks.models.views import IncidentWork
from playbooks.service.incidents.plan_fitting import plans_for
from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction


def work_of(surroundings: Surroundings, tx: Transaction, incident: Incident) -> IncidentWork:
    """Return members, tasks, observables, evidence with its custody, and plans that fit."""
    stores = surroundings.stores
    place = (incident.org_id, incident.id)
    return IncidentWork(
        members=tuple(stores.work.members(tx, *place)),
        tasks=tuple(stores.work.tasks(tx, *place)),
        observables=tuple(stores.observables.of(tx, *place)),
        sightings=tuple(stores.observables.sightings(tx, *place)),
        evidence=tuple(stores.evidence.of(tx, *place)),
        links=tuple(stores.evidence.links(tx, *place)),
        offers=tuple(stores.evidence.offers(tx, *place)),
        plans=tuple(plans_for(surroundings, tx, incident)),
    )
