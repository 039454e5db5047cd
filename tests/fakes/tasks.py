"""Tasks in memory."""

from __future__ import annotations

from secops.kernel.errors import Conflict, NotFound
from secops.kernel.jobs import Task
from secops.kernel.transactions import Transaction


class FakeTasks:
    def __init__(self) -> None:
        self.kept: dict[str, Task] = {}

    def create(self, transaction: Transaction, task: Task) -> None:
        if task.id in self.kept:
            raise Conflict
        self.kept[task.id] = task

    def progress(self, transaction: Transaction, task: Task) -> None:
        if task.id not in self.kept:
            raise NotFound
        self.kept[task.id] = task

    def get(self, transaction: Transaction, task_id: str) -> Task:
        if task_id not in self.kept:
            raise NotFound
        return self.kept[task_id]
