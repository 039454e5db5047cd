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
from playbooks.core.variables import MAX_GIVEN, bounded
from playbooks.models import CheckedPlaybook, Incident, Plan, PlannedStep, TargetState
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.binding import Binder
from playbooks.service.surroundings import Surroundings
from secops.kernel.errors import Invalid

HOUR_S: Final = 3_600
_SUBJECTS: Final = {
    "user.name": "account",
    "user.id": "account",
    "user.target.name": "target_account",
    "source.ip": "address",
    "host.name": "host",
    "session.id": "session",
    "client.id": "client",
}
"""Kinds of subjects by the field that names them; of two the later counts."""


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
        others = self._playbooks.nested(incident.org_id, request.playbook)
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
    """Return the variables an incident offers: its subjects, id and title.

    Alerts name subjects by fields of the Elastic Common Schema; playbooks call them by
    their kind. An account's id counts before a name, which a log line may have spoofed.
    """
    known = incident.subjects
    offered = {_SUBJECTS[field]: known[field] for field in _SUBJECTS if field in known}
    offered |= {kind: value for kind, value in known.items() if kind not in _SUBJECTS}
    subjects = {f"__{kind}__": value for kind, value in offered.items()}
    return {**subjects, "__incident__": incident.id, "__title__": incident.title}


def _checked(given: Mapping[str, str]) -> Mapping[str, str]:
    if len(given) > MAX_GIVEN:
        msg = f"at most {MAX_GIVEN} variables"
        raise Invalid(msg)
    for name, value in given.items():
        if VARIABLE.fullmatch(name) is None:
            msg = f"a variable is called __name__, not {name[:60]}"
            raise Invalid(msg)
        bounded(name, value)  # also of one that no step names: the plan keeps it
    return given
