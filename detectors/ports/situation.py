"""What the situation is made of, and where it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.models.rules import Severity
from detectors.models.situation import Situation
from secops.kernel.transactions import Transaction


class SituationStore(Protocol):
    """Counts what there is, and keeps each organisation's last situation and its days."""

    def organisations(self, tx: Transaction) -> Sequence[str]:
        """Return the organisations that have log sources or entities at risk, and the first one."""
        ...

    def raised(self, tx: Transaction, org_id: str, since: int, until: int) -> int:
        """Return how many alerts were raised from ``since`` on and before ``until``."""
        ...

    def newest_open(
        self, tx: Transaction, org_id: str, limit: int
    ) -> Sequence[tuple[Severity, str]]:
        """Return (severity, id of the first event) of the newest open alerts."""
        ...

    def risky(self, tx: Transaction, org_id: str, least: int) -> int:
        """Return how many entities have at least this risk."""
        ...

    def keep(self, tx: Transaction, situation: Situation) -> None:
        """Keep it as the last one."""
        ...

    def note(self, tx: Transaction, org_id: str, day: int, figures: Mapping[str, int]) -> None:
        """Keep the values of ``day``, instead of those that are there."""
        ...

    def last(self, tx: Transaction, org_id: str) -> Situation | None:
        """Return the last one."""
        ...

    def trends(self, tx: Transaction, org_id: str, since: int) -> Mapping[str, Mapping[int, int]]:
        """Return the figures' values by day, from the day ``since`` on."""
        ...

    def forget(self, tx: Transaction, before: int) -> None:
        """Drop the figures of days before ``before``."""
        ...


class OpenIncidents(Protocol):
    """Incidents that are not closed; playbooks fill it."""

    def count_open(self, tx: Transaction, org_id: str) -> int:
        """Return how many an organisation has, without drills."""
        ...


class NoOpenIncidents:
    """Where there are no incidents."""

    def count_open(self, tx: Transaction, org_id: str) -> int:  # noqa: ARG002 - the port's
        """Return 0."""
        return 0
