"""What an assessment may know of response: counts, and digests of what was counted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from statistics import median
from typing import Any, Final

from playbooks.models import Incident, Run, StoredPlaybook
from playbooks.models.notifications import STUCK_STATES
from playbooks.models.views import DeliveryEvidence, DrillEvidence, IncidentEvidence
from playbooks.ports import IncidentFilter
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.canonical import canonical
from secops.kernel.clock import SECOND
from secops.kernel.pages import every_item
from secops.kernel.permissions.playbooks import EVIDENCE_READ
from secops.kernel.transactions import Transaction

_BARE: Final = 2
"""Lines of a timeline that only opens and closes."""
_MOST_MESSAGES: Final = 10_000


class EvidenceService:
    """Judges nothing: it counts what is there now."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def incident_state(self, actor: Actor) -> IncidentEvidence:
        """Return how incidents of the caller's organisation stand; drills are counted apart."""
        self._s.parts.access.require(actor, EVIDENCE_READ, "incident:*")
        return self._s.parts.transactions.read(lambda tx: self._incident_state(tx, actor.org_id))

    def drill_state(self, actor: Actor) -> DrillEvidence:
        """Return what was exercised: drills and runs of playbooks."""
        self._s.parts.access.require(actor, EVIDENCE_READ, "run:*")
        return self._s.parts.transactions.read(lambda tx: self._drill_state(tx, actor.org_id))

    def delivery_state(self, actor: Actor, since: int) -> DeliveryEvidence:
        """Return whether what was urgent since that instant reached somebody."""
        self._s.parts.access.require(actor, EVIDENCE_READ, "message:*")
        outgoing, channels = self._s.stores.notifications.outgoing, self._s.stores.notifications

        def read(tx: Transaction) -> DeliveryEvidence:
            stuck = every_item(lambda page: outgoing.list(tx, actor.org_id, STUCK_STATES, page))
            sent = every_item(lambda page: outgoing.list(tx, actor.org_id, ("sent",), page))
            recent = takewhile(lambda message: message.created_at >= since, sent)
            return DeliveryEvidence(
                sent=sum(1 for _ in islice(recent, _MOST_MESSAGES)),
                urgent_undelivered=sum(
                    message.urgent
                    for message in takewhile(lambda message: message.created_at >= since, stuck)
                ),
                channels=len(channels.channels.all_of(tx, actor.org_id)),
            )

        return self._s.parts.transactions.read(read)

    def alerts_without_incident(self, actor: Actor, alert_ids: Sequence[str]) -> int:
        """Return how many of these alerts belong to no incident of the organisation."""
        self._s.parts.access.require(actor, EVIDENCE_READ, "incident:*")
        incidents = self._s.stores.incidents
        return self._s.parts.transactions.read(
            lambda tx: sum(
                incidents.incident_of(tx, actor.org_id, alert_id) is None for alert_id in alert_ids
            )
        )

    def _incident_state(self, tx: Transaction, org_id: str) -> IncidentEvidence:
        everything = list(self._incidents(tx, org_id))
        real = [incident for incident in everything if not incident.drill]
        closed = [incident for incident in real if incident.state == "closed"]
        late = [
            incident
            for incident in real
            if incident.state != "closed"
            and any(clock.overdue for clock in self._s.clocks_of(tx, incident, tx.now))
        ]
        times = [(i.closed_at - i.opened_at) // SECOND for i in closed if i.closed_at is not None]
        linked = [i for i in real if self._s.stores.incidents.links(tx, org_id, i.id)]
        answered = {run.incident_id for run in self._runs(tx, org_id)}
        return IncidentEvidence(
            total=len(real),
            open=len(real) - len(closed),
            closed=len(closed),
            closed_with_cause=sum(bool(i.cause or i.closed_reason) for i in closed),
            classified=sum(bool(i.category and i.level) for i in real),
            with_alerts=len(linked),
            with_runs=sum(i.id in answered for i in real),
            drills=len(everything) - len(real),
            overdue=len(late),
            median_seconds_to_close=int(median(times)) if times else None,
            last_opened_at=max((i.opened_at for i in real), default=None),
            sha256=_digest([[i.id, i.state, i.version] for i in everything]),
            **self._handled(tx, [i for i in closed if i.ending in ("", "handled")]),
        )

    def _handled(self, tx: Transaction, closed: Sequence[Incident]) -> dict[str, int]:
        stores = self._s.stores
        return {
            "closed_handled": len(closed),
            "closed_without_cause": sum(
                not (i.cause or (not i.ending and i.closed_reason)) for i in closed
            ),
            "closed_without_process": sum(
                len(stores.timelines.of(tx, i.org_id, i.id)) <= _BARE for i in closed
            ),
            "closed_without_evidence": sum(
                not stores.evidence.of(tx, i.org_id, i.id)
                and not any(
                    link.evidence_count for link in stores.incidents.links(tx, i.org_id, i.id)
                )
                for i in closed
            ),
            "closed_without_lessons": sum(not i.lessons for i in closed),
        }

    def _drill_state(self, tx: Transaction, org_id: str) -> DrillEvidence:
        drills = [i for i in self._incidents(tx, org_id) if i.drill]
        runs = list(self._runs(tx, org_id))
        approved = [
            r for r in runs if r.approver_id is not None and r.approver_id != r.requester_id
        ]
        vouched = {p.playbook_id for p in self._playbooks(tx, org_id) if p.state == "approved"}
        return DrillEvidence(
            drills=len(drills),
            last_drill_at=max((i.opened_at for i in drills), default=None),
            runs_done=sum(r.state == "done" for r in runs),
            runs_failed=sum(r.state == "failed" for r in runs),
            runs_approved_by_another=len(approved),
            playbooks_approved=len(vouched),
            sha256=_digest([[r.id, r.state, r.plan.sha256] for r in runs]),
        )

    def _playbooks(self, tx: Transaction, org_id: str) -> Iterator[StoredPlaybook]:
        return every_item(lambda page: self._s.stores.playbooks.list(tx, org_id, page))

    def _incidents(self, tx: Transaction, org_id: str) -> Iterator[Incident]:
        incidents, wanted = self._s.stores.incidents, IncidentFilter(org_id)
        return every_item(lambda page: incidents.list(tx, wanted, page))

    def _runs(self, tx: Transaction, org_id: str) -> Iterator[Run]:
        return every_item(lambda page: self._s.stores.runs.list(tx, org_id, None, page))


def _digest(value: Sequence[Any]) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
