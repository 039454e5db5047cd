"""Where rectification and waivers are kept, and who owns tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from audits.models.rectification import (
    HistoryEvent,
    Person,
    RectificationTask,
    TaskFilter,
    Waiver,
)
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Tasks(Protocol):
    """Keeps tasks, one per finding."""

    def add(self, tx: Transaction, task: RectificationTask) -> None:
        """Store a new one; raise ``ChangedMeanwhile`` where its finding has one."""
        ...

    def get(self, tx: Transaction, org_id: str, task_id: str) -> RectificationTask:
        """Return it; raise ``TaskNotFound``."""
        ...

    def change(self, tx: Transaction, task: RectificationTask) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def page(
        self, tx: Transaction, org_id: str, wanted: TaskFilter, page: PageRequest
    ) -> Page[RectificationTask]:
        """Return tasks, newest first."""
        ...

    def of_system(
        self, tx: Transaction, org_id: str, system_id: str
    ) -> Sequence[RectificationTask]:
        """Return the tasks of a system, newest first, at most 5,000."""
        ...

    def known(
        self, tx: Transaction, org_id: str, system_id: str, subjects: Sequence[str]
    ) -> Sequence[RectificationTask]:
        """Return a system's tasks that are about these items or findings."""
        ...

    def counts(
        self, tx: Transaction, org_id: str, system_id: str, now: int
    ) -> tuple[dict[str, int], int]:
        """Return how many tasks of a system are in each state, and how many are overdue."""
        ...

    def unclosed(self, tx: Transaction, org_id: str) -> int:
        """Return how many an organisation has that are not closed."""
        ...


class History(Protocol):
    """Keeps what was done to tasks, waivers and risks."""

    def add(self, tx: Transaction, event: HistoryEvent) -> None:
        """Append a line; its ``seq`` is given by the store."""
        ...

    def of(self, tx: Transaction, org_id: str, subject_id: str) -> Sequence[HistoryEvent]:
        """Return the last 500 lines, oldest first."""
        ...


class Waivers(Protocol):
    """Keeps waivers."""

    def add(self, tx: Transaction, waiver: Waiver) -> None:
        """Store a new one."""
        ...

    def get(self, tx: Transaction, org_id: str, waiver_id: str) -> Waiver:
        """Return it; raise ``WaiverNotFound``."""
        ...

    def change(self, tx: Transaction, waiver: Waiver) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def page(self, tx: Transaction, org_id: str, system_id: str, page: PageRequest) -> Page[Waiver]:
        """Return waivers, the last asked for first; of one system, or of all for none."""
        ...

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Waiver]:
        """Return what was ever asked for a system, oldest first."""
        ...

    def waiting(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation wait for a decision."""
        ...


FindPerson = Callable[[str, str], Person | None]
"""Returns the account of this name or id in an organisation (id, name); None if there is none."""


def no_person(org_id: str, name: str) -> Person | None:  # noqa: ARG001 - the port's
    """Return nobody: where there are no accounts."""
    return None
