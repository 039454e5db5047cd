"""Planning a run: variables from the incident, targets as they are now, the plan's hash.

Only reading adapters are used, so a dry run shows exactly what the run would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.cacao20.vocabulary import VARIABLE
from playbooks.core.plan import Compiled, compile_steps, hashed
from playbooks.errors import BlastExceeded, TargetProtected
from playbooks.models import CheckedPlaybook, Incident, Plan, PlannedStep, TargetState
from playbooks.service.actions import Action
from playbooks.service.playbooks import PlaybookService
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
        actions: Mapping[str, Action],
    ) -> None:
        self._s = surroundings
        self._playbooks = playbooks
        self._actions = actions

    def plan(self, request: PlanRequest) -> Plan:
        """Return the plan; raise what stands in its way (``TargetProtected``, …)."""
        incident = request.incident
        given = {**offered_by(incident), **_checked(request.given)}
        others = self._playbooks.known(incident.org_id)
        compiled = compile_steps(request.playbook, given, others)
        steps = tuple(self._resolve(incident, step) for step in compiled.steps.values())
        self._check_limits(compiled, steps)
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
            )
        )

    def _resolve(self, incident: Incident, step: PlannedStep) -> PlannedStep:
        if step.kind == "manual":
            person = TargetState(f"manual:{step.path}"[:200], step.name, "", "", "done by hand")
            return replace(step, targets=(person,))
        targets = self._actions[step.action].inspect(incident.org_id, step.args)
        for target in targets:
            if target.protected:
                msg = f"{target.target}: {target.protected}"
                raise TargetProtected(msg)
        return replace(step, targets=targets)

    @staticmethod
    def _check_limits(compiled: Compiled, steps: tuple[PlannedStep, ...]) -> None:
        for step in steps:
            limit = compiled.blast.get(step.path, len(step.targets))
            if len(step.targets) > limit:
                msg = f"{step.name}: {len(step.targets)} targets, at most {limit}"
                raise BlastExceeded(msg)


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
