"""Bindings alert → playbook: agreed by two people, held back by budgets, rests and a switch."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.service.bindings.answering import AlertAnswerer
from playbooks.service.bindings.automatic import AutomaticRuns
from playbooks.service.bindings.bindings import BindingService, ChangeDecision
from playbooks.service.bindings.pauses import PauseService
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.planning import Planner
from playbooks.service.surroundings import Surroundings

__all__ = ["AutonomyServices", "ChangeDecision", "build_autonomy"]


@dataclass(frozen=True, slots=True)
class AutonomyServices:
    """What happens without anybody asking, and how people hold it."""

    bindings: BindingService
    pauses: PauseService
    automatic: AutomaticRuns
    answerer: AlertAnswerer


def build_autonomy(
    surroundings: Surroundings, playbooks: PlaybookService, planner: Planner
) -> AutonomyServices:
    """Return the services of bindings."""
    automatic = AutomaticRuns(surroundings)
    pauses = PauseService(surroundings, automatic)
    return AutonomyServices(
        bindings=BindingService(surroundings, playbooks),
        pauses=pauses,
        automatic=automatic,
        answerer=AlertAnswerer(surroundings, playbooks, planner, automatic, pauses),
    )
