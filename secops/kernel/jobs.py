"""Jobs: what the scheduler repeats, and durable work with progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class Job:
    """Scheduled work. ``tick`` claims what is due, does a bounded part, and returns.

    ``tick`` returns True when more waits (it is called again at once). Under N nodes the
    lease ``name`` decides who works, so a tick is never run twice at a time.
    """

    name: str
    every_seconds: float
    tick: Callable[[], bool]


TaskState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Task:
    """A durable piece of work somebody waits for: ``done`` of ``total`` units."""

    id: str
    org_id: str
    kind: str
    state: TaskState
    done: int
    total: int
    created_at: int
    result: str = ""


class Tasks(Protocol):
    """Keeps tasks; a task survives restarts and shows its progress."""

    def create(self, transaction: Transaction, task: Task) -> None:
        """Store a queued ``task``."""
        ...

    def progress(self, transaction: Transaction, task: Task) -> None:
        """Store the new state, progress and result."""
        ...

    def get(self, transaction: Transaction, task_id: str) -> Task:
        """Return it; raise ``NotFound``."""
        ...
