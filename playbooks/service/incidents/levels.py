"""The decision aid for levels: it proposes with reasons and doubts, and sets nothing."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.core.gbt20986 import LevelAdvice, LevelAnswers, advise_level
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text
from secops.kernel.permissions.playbooks import INCIDENT_READ

__all__ = ["LevelAnswers", "LevelService"]


class LevelService:
    """Advises on the level of GB/T 20986 and the reporting level."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    @property
    def metrics(self) -> Mapping[str, Text]:
        """The figures that the reporting rule asks for, with their names."""
        named = self._s.library.reporting_rule()["metrics"]
        return {name: Text(text["zh"], text["en"]) for name, text in named.items()}

    def propose_levels(self, actor: Actor, answers: LevelAnswers) -> LevelAdvice:
        """Return both levels that the answers give; raise ``Invalid``."""
        self._s.parts.access.require(actor, INCIDENT_READ, "incident:*")
        return advise_level(self._s.classification, self._s.library.reporting_rule(), answers)
