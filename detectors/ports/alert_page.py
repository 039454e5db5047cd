"""What the page of an alert needs beside the alerts themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.models.alert_page import (
    Closings,
    EntityKind,
    EntityState,
    OpenedIncident,
    Place,
)
from detectors.models.alerts import Alert, AlertFilter
from secops.kernel.actors import Actor
from secops.kernel.transactions import Transaction


class AlertPageStore(Protocol):
    """Reads what lies around an alert; it changes nothing."""

    def place(self, tx: Transaction, org_id: str, wanted: AlertFilter, alert: Alert) -> Place:
        """Return which alerts of a view stand before and behind ``alert``, newest event first."""
        ...

    def closings(self, tx: Transaction, alert: Alert, *, same_entity: bool) -> Closings:
        """Return how the rule's other alerts (of the same entity) were closed.

        Only the newest are looked at, so that no rule is too busy.
        """
        ...

    def closing_action(self, tx: Transaction, alert: Alert) -> str | None:
        """Return the id of the bulk action that closed ``alert``, None where none did."""
        ...


class EntityStates(Protocol):
    """What other planes know of an entity; bridges fill it."""

    def look(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:
        """Return its state now; None where there is none, or ``actor`` may not see it."""
        ...


class NoEntityStates:
    """Where no other plane is asked."""

    def look(self, actor: Actor, kind: EntityKind, name: str) -> EntityState | None:  # noqa: ARG002 - the port's
        """Return None."""
        return None


class AlertIncidents(Protocol):
    """Which incident an alert belongs to; playbooks fills it."""

    def incident_of(self, actor: Actor, alert_id: str) -> OpenedIncident | None:
        """Return the incident; None where there is none, or ``actor`` may not see incidents."""
        ...


class NoIncidents:
    """Where incidents are not kept."""

    def incident_of(self, actor: Actor, alert_id: str) -> OpenedIncident | None:  # noqa: ARG002 - the port's
        """Return None."""
        return None


class RuleSamples(Protocol):
    """The sample lines that lie beside a rule's file."""

    def samples_of(self, rule_path: str) -> Sequence[tuple[str, str, bytes]]:
        """Return (path, ``positive`` or ``negative``, lines) of each; none for a foreign rule."""
        ...
