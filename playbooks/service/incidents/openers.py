"""How incidents open: by a person, or unasked for alerts of the severities in the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from playbooks.errors import AlertLinked
from playbooks.models import AlertSummary, Incident
from playbooks.models.incident_work import Member
from playbooks.service.incidents.linking import link_of, new_incident
from playbooks.service.incidents.observables import see_subjects
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.events import AlertRaised, Delivery
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

OPENER: Final = "playbooks-opener"


class AlertOpener:
    """Opens one incident per alert, however often the alert is delivered."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def alert_raised(self, delivery: Delivery) -> None:
        """Open an incident if the settings want one for this severity."""
        announcement = delivery.announcement
        if not isinstance(announcement, AlertRaised):
            return
        if announcement.severity not in self._s.options.open_for:
            return
        alert = self._s.ports.alerts.get_alert(announcement.org_id, announcement.alert_id)
        if alert is not None:
            self._open(alert)

    def _open(self, alert: AlertSummary) -> None:
        actor = system_actor(OPENER, alert.org_id)
        incident = incident_about(self._s, actor, alert)
        try:
            self._s.parts.transactions.run(
                lambda tx: store_opened(self._s, tx, actor, incident, alert)
            )
        except AlertLinked:
            return  # delivered before, or a person was quicker


def incident_about(surroundings: Surroundings, actor: Actor, alert: AlertSummary) -> Incident:
    """Return an incident about ``alert``, not yet stored, with a class that is known."""
    now = surroundings.parts.clock.now()
    incident = new_incident(surroundings.parts.ids.new("inc"), actor, alert, now)
    known = surroundings.classification.classes
    return incident if incident.category in known else replace(incident, category="")


def store_opened(
    surroundings: Surroundings,
    tx: Transaction,
    actor: Actor,
    incident: Incident,
    alert: AlertSummary | None,
) -> None:
    """Store an incident that opens; raise ``AlertLinked`` if the alert has one.

    Who opens it leads it until another one does; the product itself leads nothing.
    """
    surroundings.stores.incidents.add(tx, incident)
    if alert is not None:
        surroundings.stores.incidents.link(tx, link_of(incident.id, alert, tx.now))
        see_subjects(surroundings, tx, incident.id, alert, actor.id)
    if actor.kind == "account":
        lead = Member(incident.id, actor.id, incident.org_id, actor.name, "lead", actor.id, tx.now)
        surroundings.stores.work.set_member(tx, lead)
    words = "自动开立事件" if actor.kind == "system" else "开立事件"
    place = (incident.org_id, incident.id)
    alert_id = None if alert is None else alert.id
    surroundings.tell(tx, actor, place, "opened", f"{words}:{incident.title}", alert_id=alert_id)
    details = {"alert_id": alert_id, "severity": incident.severity}
    tx.record(Act("playbooks.open_incident", actor, f"incident:{incident.id}", details=details))
