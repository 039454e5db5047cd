"""Planning a run: variables from the incident, targets as they are now, the plan's hash.

Only reading adapters are used, so a dry run shows exactly what the run would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.cacao20.vocabulary import VARIABLE
from playbooks.core.compiling import compile_steps
from playbooks.core.plan import hashed
from playbooks.models import CheckedPlaybook, Incident, Plan, PlannedStep, TargetState
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.binding import Binder
from playbooks.service.surroundings import Surroundings
from secops.kernel.errors import Invalid

HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Who wants which playbook run for which incident, with which variables."""

    requester_id: str
    incident: Incident
    playbook: CheckedPlaybook
    given: Mapping[str, str]
    trusted: bool


class Planner:
    """Makes plans; holds no state."""

    def __init__(
        self,
        surroundings: Surroundings,
        playbooks: PlaybookService,
        binder: Binder,
    ) -> None:
        self._s = surroundings
        self._playbooks = playbooks
        self._binder = binder

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan; raise what stands in its way (``TargetProtected``, …)."""
        incident = request.incident
        given = {**offered_by(incident), **_checked(request.given)}
        others = self._playbooks.known(incident.org_id)
        compiled = compile_steps(request.playbook, given, others)
        steps = tuple(self._resolve(incident, step) for step in compiled.steps.values())
        hours = self._s.options.approval_hours
        return hashed(
            Plan(
                playbook_id=request.playbook.id,
                playbook_modified=request.playbook.modified,
                content_hash=request.playbook.content_hash,
                incident_id=incident.id,
                requester_id=request.requester_id,
                given=dict(request.given),
                variables=compiled.variables,
                first=compiled.first,
                steps=steps,
                needs_approval=not request.trusted or any(step.approval for step in steps),
                expires_s=compiled.expires_s or hours * HOUR_S,
                scopes=compiled.scopes,
                approvers=compiled.approvers,
            )
        )

    def _resolve(self, incident: Incident, step: PlannedStep) -> PlannedStep:
        if step.kind not in ("action", "manual"):
            return step
        if step.late:
            later = TargetState(f"late:{step.path}"[:200], step.name, "", "", "known at its step")
            return replace(step, targets=(later,))
        return self._binder.resolve(incident.org_id, step)


def offered_by(incident: Incident) -> dict[str, str]:
    """Return the variables an incident offers: its subjects, id and title."""
    subjects = {f"__{kind}__": value for kind, value in incident.subjects.items()}
    return {**subjects, "__incident__": incident.id, "__title__": incident.title}


def _checked(given: Mapping[str, str]) -> Mapping[str, str]:
    for name in given:
        if VARIABLE.fullmatch(name) is None:
            msg = f"a variable is called __name__, not {name[:60]}"
            raise Invalid(msg)
    return given
