"""Where bulk actions and what they wrote are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from detectors.models.alerts import AlertFilter
from detectors.models.bulk_actions import BulkAction, BulkItem, BulkResult, BulkState, Selected
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class BulkSelection(Protocol):
    """Reads what a bulk action is about."""

    def snapshot(self, tx: Transaction) -> int:
        """Return the greatest revision of an alert: all that is written later has a greater."""
        ...

    def count(self, tx: Transaction, org_id: str, wanted: AlertFilter, snapshot: int) -> int:
        """Return how many alerts fit and were last written at ``snapshot`` or before."""
        ...

    def selected(self, tx: Transaction, action: BulkAction, limit: int) -> Sequence[Selected]:
        """Return the next alerts of ``action``, held until the transaction ends."""
        ...

    def take_subjects(self, tx: Transaction, action: BulkAction, limit: int) -> Sequence[str]:
        """Return at most ``limit`` subjects whose risk has to follow, and note that it does."""
        ...

    def undoable(self, tx: Transaction, action_id: str) -> int:
        """Return how many alerts still have the version that the action wrote."""
        ...


class BulkActionStore(BulkSelection, Protocol):
    """Keeps bulk actions; a chunk and its progress are one transaction."""

    def add(self, tx: Transaction, action: BulkAction) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, org_id: str, action_id: str) -> BulkAction | None:
        """Return it, or None."""
        ...

    def page(self, tx: Transaction, org_id: str, page: PageRequest) -> Sequence[BulkAction]:
        """Return at most ``page.limit + 1`` that were ordered, the newest first."""
        ...

    def running(self, tx: Transaction, limit: int) -> Sequence[BulkAction]:
        """Return those that run, which have waited longest first."""
        ...

    def save(self, tx: Transaction, action: BulkAction, before: tuple[BulkState, int, int]) -> bool:
        """Store its progress; False if state, place or told are not those of ``before``."""
        ...

    def take_undo(self, tx: Transaction, action_id: str, undo_id: str) -> bool:
        """Note what undoes it; False if something does already."""
        ...

    def forget_previews(self, tx: Transaction, org_id: str, before: int) -> None:
        """Drop previews that were made before that instant and never ordered."""
        ...

    def write_alerts(
        self, tx: Transaction, action: BulkAction, chosen: Sequence[Selected]
    ) -> Sequence[BulkItem]:
        """Close, acknowledge or assign them and return what was done, in their order."""
        ...

    def restore_alerts(
        self, tx: Transaction, action: BulkAction, chosen: Sequence[Selected]
    ) -> Sequence[BulkItem]:
        """Give those that nobody wrote since what they said before, and return what was done."""
        ...

    def items(
        self, tx: Transaction, action_id: str, result: BulkResult | None, page: PageRequest
    ) -> Sequence[BulkItem]:
        """Return at most ``page.limit + 1`` items by place."""
        ...
