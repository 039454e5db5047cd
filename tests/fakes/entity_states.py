"""States of entities as other planes would tell them, by kind and name."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.models.alert_page import EntityKind, EntityState, OpenedIncident
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Text


@dataclass
class FakeEntityStates:
    """``hidden`` are kinds that nobody may see."""

    hidden: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = field(default_factory=list)

    def look(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:
        del actor
        self.asked.append((kind, name))
        if kind in self.hidden:
            return None
        return EntityState(kind, f"{kind}-id", name, Text("正常", "active"))


@dataclass
class FakeIncidents:
    """One incident for the alerts in ``opened``."""

    opened: set[str] = field(default_factory=set)

    def incident_of(self, actor: Actor, alert_id: str) -> OpenedIncident | None:
        del actor
        if alert_id not in self.opened:
            return None
        return OpenedIncident("inc_1", "a case", Text("待研判", "Triage"))
