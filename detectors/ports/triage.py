"""What triage needs: exceptions, suppressions, and the risk of entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.models.triage import (
    EntityRisk,
    ExceptionState,
    RiskPoint,
    RuleException,
    SuppressedGroup,
    Suppression,
)
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class ExceptionStore(Protocol):
    """Keeps exceptions from rules."""

    def add(self, tx: Transaction, exception: RuleException) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, org_id: str, exception_id: str) -> RuleException | None:
        """Return it, or None."""
        ...

    def list(self, tx: Transaction, org_id: str) -> Sequence[RuleException]:
        """Return those of an organisation, the newest first."""
        ...

    def active(self, tx: Transaction) -> Sequence[RuleException]:
        """Return those that hold at the transaction's instant."""
        ...

    def move(
        self,
        tx: Transaction,
        exception_id: str,
        states: tuple[ExceptionState, ExceptionState],
        by: str,
    ) -> bool:
        """Change the state from the first to the second; False if it was another."""
        ...

    def note_hits(self, tx: Transaction, hits: Mapping[str, tuple[int, int]]) -> None:
        """Add (events taken away, newest event time) by exception."""
        ...


class SuppressionStore(Protocol):
    """Keeps suppressions, and which alerts they keep quiet."""

    def add(self, tx: Transaction, suppression: Suppression) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, org_id: str, suppression_id: str) -> Suppression | None:
        """Return it, or None."""
        ...

    def list(self, tx: Transaction, org_id: str) -> Sequence[Suppression]:
        """Return those of an organisation, the newest first."""
        ...

    def active(self, tx: Transaction) -> Sequence[Suppression]:
        """Return those that hold at the transaction's instant, the oldest first."""
        ...

    def lift(self, tx: Transaction, suppression_id: str, by: str) -> bool:
        """End it; False if it is ended."""
        ...

    def leader(
        self, tx: Transaction, suppression_id: str, key: str, window: tuple[int, int]
    ) -> SuppressedGroup | None:
        """Return the group whose leading alert began in ``window``, the oldest."""
        ...

    def put_group(self, tx: Transaction, org_id: str, group: SuppressedGroup) -> None:
        """Store a group, or its new count and sample."""
        ...

    def groups(self, tx: Transaction, suppression_id: str) -> Sequence[SuppressedGroup]:
        """Return the groups, those with most quiet alerts first, at most 200."""
        ...

    def hush(self, tx: Transaction, alert_id: str, suppression_id: str) -> None:
        """Note which suppression keeps an alert quiet."""
        ...

    def wake(self, tx: Transaction, suppression_id: str, limit: int) -> Sequence[str]:
        """Open at most ``limit`` alerts that it kept quiet, the oldest first; return their ids."""
        ...


class RiskStore(Protocol):
    """Keeps what was published of entities."""

    def riskiest(
        self, tx: Transaction, org_id: str, page: PageRequest, least: int = 1
    ) -> Sequence[EntityRisk]:
        """Return at most ``page.limit + 1`` entities of at least this risk, the riskiest first."""
        ...

    def of(self, tx: Transaction, org_id: str, subject: str) -> EntityRisk:
        """Return what was last published of an entity; 0 where nothing was."""
        ...

    def history(
        self, tx: Transaction, org_id: str, subject: str, limit: int
    ) -> Sequence[RiskPoint]:
        """Return the last points of an entity's history, the oldest first."""
        ...

    def stale(self, tx: Transaction, before: int, limit: int) -> Sequence[tuple[str, str]]:
        """Return (org, subject) with a risk that was computed before ``before``."""
        ...

    def touch(self, tx: Transaction, org_id: str, subject: str) -> None:
        """Note that the risk was computed now and is the same."""
        ...

    def set_criticality(
        self, tx: Transaction, org_id: str, about: tuple[str, int], set_by: str
    ) -> None:
        """Store how critical a subject is, in hundredths."""
        ...
