"""evidence.collect: a bounded search of the logs becomes evidence of the incident."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from playbooks.models import Incident, PlannedStep, TargetState
from playbooks.models.custody import Evidence, NewEvidence
from playbooks.ports import LogExtract
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY, to_rfc3339

BEFORE: Final = DAY
"""The search begins this long before the incident was discovered."""
LONGEST: Final = 30 * DAY
MAX_EVENTS: Final = 10_000
MAX_BYTES: Final = 8 << 20
_ACTOR: Final = "playbooks-runner"

Keep = Callable[[Actor, NewEvidence], Evidence]
"""Keeps evidence, once for its key."""


class CollectEvidence:
    """What the query finds, from a day before the discovery until now, as JSON Lines.

    The first line says what was asked, for when, and whether there was more.
    """

    def __init__(self, surroundings: Surroundings, keep: Keep) -> None:
        self._s = surroundings
        self._keep = keep

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the search; raise ``Invalid`` for one that can't be read."""
        del org_id
        query = args["query"]
        self._s.ports.logs.check(query)
        name = hashlib.sha256(query.encode()).hexdigest()[:16]
        return (TargetState(f"logs:{name}", query[:80], "any", "", "kept as evidence"),)

    def recovery(self, step: PlannedStep) -> Recovery:
        """Look whether it is kept: a second search may find more."""
        del step
        return "readable"

    def perform(self, call: Call) -> Performed:
        """Search and keep what was found; what was kept for this order is not asked again."""
        kept = self._kept(call)
        if kept is None:
            kept = self._collect(call)
        return Performed(
            verified=True,
            details={"evidence": kept.id, "sha256": kept.sha256, "sm3": kept.sm3},
            outputs={"source": kept.source},
        )

    def holds(self, call: Call) -> bool:
        """Tell whether it is kept."""
        return self._kept(call) is not None

    def _kept(self, call: Call) -> Evidence | None:
        order = call.order
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.evidence.by_key(
                tx, order.org_id, order.incident_id, order.key
            )
        )

    def _collect(self, call: Call) -> Evidence:
        order, query = call.order, call.step.args["query"]
        incident = self._s.parts.transactions.read(
            lambda tx: self._s.stores.incidents.get(tx, order.org_id, order.incident_id)
        )
        window = self._window(incident)
        found = self._s.ports.logs.extract(query, window, order, limits=(MAX_EVENTS, MAX_BYTES))
        new = NewEvidence(
            incident_id=order.incident_id,
            name=f"{call.target.target.replace(':', '-')}.jsonl",
            content=_head(query, window, found) + found.content,
            kind="extract",
            source=f"run {order.run_id}: {found.events} events",
            key=order.key,
        )
        return self._keep(system_actor(_ACTOR, order.org_id), new)

    def _window(self, incident: Incident) -> tuple[int, int]:
        now = self._s.parts.clock.now()
        return max(incident.discovered_at - BEFORE, now - LONGEST), now


def _head(query: str, window: tuple[int, int], found: LogExtract) -> bytes:
    said = {
        "query": query,
        "since": to_rfc3339(window[0]),
        "until": to_rfc3339(window[1]),
        "events": found.events,
        "is_cut": found.is_cut,
    }
    return canonical(said) + b"\n"
