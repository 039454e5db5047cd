"""Durable tasks with progress."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select

from secops.adapters.database.tables import tasks
from secops.kernel.errors import NotFound
from secops.kernel.jobs import Task
from secops.kernel.transactions import Transaction


class DatabaseTasks:
    """The kernel's ``Tasks``."""

    def create(self, transaction: Transaction, task: Task) -> None:
        """Store a queued ``task``."""
        transaction.execute(tasks.insert().values(**asdict(task)))

    def progress(self, transaction: Transaction, task: Task) -> None:
        """Store the new state, progress and result; raise ``NotFound``."""
        statement = (
            tasks.update()
            .where(tasks.c.id == task.id)
            .values(state=task.state, done=task.done, total=task.total, result=task.result)
        )
        if transaction.execute(statement).rowcount == 0:
            raise NotFound

    def get(self, transaction: Transaction, task_id: str) -> Task:
        """Return it; raise ``NotFound``."""
        row = transaction.execute(select(tasks).where(tasks.c.id == task_id)).first()
        if row is None:
            raise NotFound
        return Task(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name
