"""Observables of incidents: taken from alerts, added by people, found in other incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.core.observables import normalise_observable, subject_observable
from playbooks.errors.custody import ObservableRefused
from playbooks.models import AlertSummary
from playbooks.models.incident_work import OBSERVABLE_KINDS, Observable, Sighting
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE, INCIDENT_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_OBSERVABLES: Final = 500


@dataclass(frozen=True, slots=True)
class NewObservable:
    """Something seen; the instants (UTC microseconds) default to now."""

    kind: str
    value: str
    first_seen: int | None = None
    last_seen: int | None = None


class ObservableService:
    """Keeps observables in one written form, each once for an incident."""

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def add_observable(self, actor: Actor, incident_id: str, new: NewObservable) -> Observable:
        """Add what a person saw; a known one is widened to when it was seen."""
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_CHANGE, target)
        kind, value = normalise_observable(new.kind, new.value)

        def work(tx: Transaction) -> Observable:
            self._rights.require(tx, actor, incident_id, "work")
            first = tx.now if new.first_seen is None else new.first_seen
            last = max(first, tx.now if new.last_seen is None else new.last_seen)
            if first < 0 or last > tx.now:
                msg = "nothing was seen in the future, or before 1970"
                raise Invalid(msg)
            seen = Observable(
                incident_id, kind, value, actor.org_id, first, last, "", actor.id, tx.now
            )
            self._require_room(tx, seen)
            if self._s.stores.observables.see(tx, seen):
                text = f"可观察项:{OBSERVABLE_KINDS[kind].zh} {value}"
                self._s.tell(tx, actor, (actor.org_id, incident_id), "observable", text)
            # the value may be personal data: the ledger names the kind alone
            tx.record(Act("playbooks.add_observable", actor, target, details={"kind": kind}))
            return seen

        with self._rights.refusals("add_observable", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def find_observable(self, actor: Actor, kind: str, value: str) -> Sequence[Sighting]:
        """Return the incidents of the caller's organisation that have it."""
        self._s.parts.access.require(actor, INCIDENT_READ, "incident:*")
        known, written = normalise_observable(kind, value)
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.observables.find(tx, actor.org_id, known, written)
        )

    def _require_room(self, tx: Transaction, seen: Observable) -> None:
        known = self._s.stores.observables.of(tx, seen.org_id, seen.incident_id)
        written = {(one.kind, one.value) for one in known}
        if len(known) >= MAX_OBSERVABLES and (seen.kind, seen.value) not in written:
            msg = f"an incident has at most {MAX_OBSERVABLES} observables"
            raise ObservableRefused(msg)


def see_subjects(
    surroundings: Surroundings, tx: Transaction, incident_id: str, alert: AlertSummary, by: str
) -> None:
    """Enter an alert's subjects as observables of the incident it belongs to."""
    store = surroundings.stores.observables
    room = MAX_OBSERVABLES - len(store.of(tx, alert.org_id, incident_id))
    last = alert.first_event_at if alert.last_event_at is None else alert.last_event_at
    for subject, text in list(alert.subjects.items())[: max(room, 0)]:
        found = subject_observable(subject, text)
        if found is not None:
            kind, value = found
            store.see(
                tx,
                Observable(
                    incident_id,
                    kind,
                    value,
                    alert.org_id,
                    alert.first_event_at,
                    max(last, alert.first_event_at),
                    alert.id,
                    by,
                    tx.now,
                ),
            )
