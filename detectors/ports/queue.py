"""What the queue needs: counts, groups, handling, saved views, deadlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from detectors.models.alerts import Alert, AlertFilter
from detectors.models.queue import (
    AlertGroup,
    AlertNews,
    AlertView,
    Combination,
    Deadline,
    GroupKey,
)
from detectors.models.rules import Severity
from secops.kernel.pages import PageRequest
from secops.kernel.transactions import Transaction


class AlertQueueStore(Protocol):
    """Counts and groups alerts."""

    def combinations(
        self, tx: Transaction, org_id: str, wanted: AlertFilter
    ) -> tuple[Sequence[Combination], bool]:
        """Return how many alerts have which values, whatever facet ``wanted`` chooses.

        True beside them where only the newest were counted.
        """
        ...

    def count(self, tx: Transaction, org_id: str, wanted: AlertFilter) -> int:
        """Return how many alerts fit; meant for open ones."""
        ...

    def statuses(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return how many alerts have a status that is not open, ``MANY + 1`` for more."""
        ...

    def news(self, tx: Transaction, org_id: str, wanted: AlertFilter, revision: int) -> AlertNews:
        """Return how many alerts fit, and how many of them were written after ``revision``."""
        ...

    def groups(
        self, tx: Transaction, org_id: str, wanted: AlertFilter, by: GroupKey, page: PageRequest
    ) -> Sequence[AlertGroup]:
        """Return at most ``page.limit + 1`` groups, the largest first."""
        ...

    def samples(self, tx: Transaction, ids: Sequence[str]) -> Sequence[Alert]:
        """Return the alerts of a few ``ids``."""
        ...

    def snapshot(self, tx: Transaction) -> int:
        """Return the greatest revision of an alert."""
        ...


class AlertHandlingStore(Protocol):
    """Writes what people did with an alert; each change is a version."""

    def acknowledge(self, tx: Transaction, alert_id: str, by: str) -> bool:
        """Note who took an open alert up; False where it is not open, or taken up already."""
        ...

    def assign(
        self, tx: Transaction, alert_id: str, assignee: str | None, version: int | None = None
    ) -> bool:
        """Give an open alert to somebody; False where it is not open, or not at ``version``."""
        ...


class AlertViewStore(Protocol):
    """Keeps the views that accounts saved."""

    def put(self, tx: Transaction, org_id: str, account_id: str, view: AlertView) -> None:
        """Store a view, instead of the account's view of that name."""
        ...

    def list(self, tx: Transaction, account_id: str) -> Sequence[AlertView]:
        """Return an account's views by name."""
        ...

    def forget(self, tx: Transaction, account_id: str, view_id: str) -> bool:
        """Drop an account's view; False where it has none of that id."""
        ...


class AlertDeadlineStore(Protocol):
    """Keeps what organisations decided on deadlines."""

    def decided(self, tx: Transaction, org_id: str) -> Mapping[Severity, Deadline]:
        """Return what was decided, by severity."""
        ...

    def decide(self, tx: Transaction, org_id: str, severity: Severity, deadline: Deadline) -> None:
        """Store a decision; ``set_at`` is the transaction's instant."""
        ...
