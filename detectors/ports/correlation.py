"""What correlations keep between steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from detectors.models.correlation import (
    Began,
    CorrelationCounts,
    Group,
    GroupState,
    Known,
    Match,
    NodeKey,
    Notes,
    Shown,
    Sighted,
)
from secops.kernel.transactions import Transaction


class CorrelationStore(Protocol):
    """Matches, open groups, sightings and inner episodes, by correlation and version."""

    def matches(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int]
    ) -> Sequence[Match]:
        """Return a group's matches in ``window`` (both ends included), in order."""
        ...

    def first_matches(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int], limit: int
    ) -> tuple[Sequence[Match], int]:
        """Return at most ``limit`` first matches in ``window``, and how many there are."""
        ...

    def matches_before(
        self, tx: Transaction, key: NodeKey, group: Group, at: int, limit: int
    ) -> Sequence[Match]:
        """Return at most ``limit`` matches of a group not after ``at``, the latest first."""
        ...

    def states(
        self, tx: Transaction, key: NodeKey, groups: Iterable[Group]
    ) -> dict[Group, GroupState]:
        """Return the states of those of ``groups`` that have one."""
        ...

    def due(self, tx: Transaction, key: NodeKey, before: int, limit: int) -> Sequence[GroupState]:
        """Return at most ``limit`` groups that are due before ``before``, the longest due first."""
        ...

    def sightings(
        self, tx: Transaction, key: NodeKey, wanted: Iterable[Shown] | Began
    ) -> Mapping[Shown, Sequence[Sighted]]:
        """Return runs by value: those of the ``wanted`` values, or all that began then."""
        ...

    def inner(
        self, tx: Transaction, key: NodeKey, group: Group, window: tuple[int, int]
    ) -> Sequence[Known]:
        """Return a group's inner episodes that share an instant with ``window``."""
        ...

    def counts(self, tx: Transaction) -> Sequence[CorrelationCounts]:
        """Return what each correlation's version did not count."""
        ...

    def write(self, tx: Transaction, org_id: str, notes: Notes) -> bool:
        """Write what a step changes; False if a group's state changed since it was read."""
        ...

    def forget(
        self, tx: Transaction, before: int, memories: Mapping[NodeKey, int] | None = None
    ) -> int:
        """Drop matches, inner episodes and settled groups of before ``before``; return how many.

        ``memories`` says, by correlation, before when runs of sightings must have ended.
        """
        ...
