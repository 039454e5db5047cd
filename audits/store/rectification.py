"""Tasks, waivers and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa

from audits.errors.rectification import TaskNotFound, WaiverNotFound
from audits.models.rectification import (
    DECIDED_WITHIN,
    HistoryEvent,
    RectificationTask,
    TaskFilter,
    Waiver,
)
from audits.store.rows import (
    change_version,
    chunks,
    count_rows,
    fields_of,
    insert_once,
    newest_page,
    row_of,
    to_json,
)
from audits.store.tables.rectification import (
    rectification_history,
    rectification_tasks,
    waivers,
)
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_TASKS: Final = rectification_tasks.c
_MOST: Final = 5_000


def _task(row: Any) -> RectificationTask:
    return RectificationTask(**fields_of(row))


def _waiver(row: Any) -> Waiver:
    return Waiver(**fields_of(row))


class DatabaseTasks:
    """Implements ``audits.ports.rectification.Tasks``."""

    def add(self, tx: Transaction, task: RectificationTask) -> None:
        """Store a new one."""
        insert_once(tx, rectification_tasks, asdict(task), "the finding has a task meanwhile")

    def get(self, tx: Transaction, org_id: str, task_id: str) -> RectificationTask:
        """Return it; raise ``TaskNotFound``."""
        row = row_of(tx, rectification_tasks, org_id, task_id)
        if row is None:
            raise TaskNotFound(f"no task {task_id[:60]}")
        return _task(row)

    def change(self, tx: Transaction, task: RectificationTask) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        changed = f"{task.id} changed since it was read"
        change_version(tx, rectification_tasks, asdict(task), changed)

    def page(
        self, tx: Transaction, org_id: str, wanted: TaskFilter, page: PageRequest
    ) -> Page[RectificationTask]:
        """Return tasks, newest first."""
        statement = rectification_tasks.select().where(_TASKS.org_id == org_id)
        for column, value in (
            (_TASKS.system_id, wanted.system_id),
            (_TASKS.owner_id, wanted.owner_id),
            (_TASKS.subject, wanted.subject),
        ):
            if value:
                statement = statement.where(column == value)
        if wanted.state in ("overdue", "unclosed"):
            statement = statement.where(_TASKS.state != "closed")
            if wanted.state == "overdue":
                statement = statement.where(_TASKS.due_at < tx.now)
        elif wanted.state:
            statement = statement.where(_TASKS.state == wanted.state)
        return newest_page(tx, statement, (_TASKS.made_at, _TASKS.id), page, read=_task)

    def of_system(
        self, tx: Transaction, org_id: str, system_id: str
    ) -> Sequence[RectificationTask]:
        """Return the tasks of a system, newest first, at most 5,000."""
        rows = tx.execute(
            rectification_tasks.select()
            .where(_TASKS.org_id == org_id, _TASKS.system_id == system_id)
            .order_by(_TASKS.made_at.desc(), _TASKS.id.desc())
            .limit(_MOST)
        )
        return [_task(row) for row in rows]

    def known(
        self, tx: Transaction, org_id: str, system_id: str, subjects: Sequence[str]
    ) -> Sequence[RectificationTask]:
        """Return a system's tasks that are about these items or findings."""
        mine = rectification_tasks.select().where(
            _TASKS.org_id == org_id, _TASKS.system_id == system_id
        )
        return [
            _task(row)
            for some in chunks(subjects)
            for row in tx.execute(mine.where(_TASKS.subject.in_(some)))
        ]

    def counts(
        self, tx: Transaction, org_id: str, system_id: str, now: int
    ) -> tuple[dict[str, int], int]:
        """Return how many tasks of a system are in each state, and how many are overdue."""
        mine = sa.and_(_TASKS.org_id == org_id, _TASKS.system_id == system_id)
        counted = tx.execute(
            sa.select(_TASKS.state, sa.func.count()).where(mine).group_by(_TASKS.state)
        )
        states = {row[0]: int(row[1]) for row in counted}
        late = sa.and_(mine, _TASKS.state != "closed", _TASKS.due_at < now)
        return states, count_rows(tx, rectification_tasks, late)

    def unclosed(self, tx: Transaction, org_id: str) -> int:
        """Return how many an organisation has that are not closed."""
        return count_rows(
            tx, rectification_tasks, _TASKS.org_id == org_id, _TASKS.state != "closed"
        )


class DatabaseHistory:
    """Implements ``audits.ports.rectification.History``."""

    def add(self, tx: Transaction, event: HistoryEvent) -> None:
        """Append a line; its ``seq`` is given here, and the key forbids a double."""
        table = rectification_history.c
        last = tx.execute(
            sa.select(sa.func.max(table.seq)).where(
                table.org_id == event.org_id, table.subject_id == event.subject_id
            )
        ).scalar()
        values = {**asdict(event), "details": to_json(event.details), "seq": int(last or 0) + 1}
        tx.execute(rectification_history.insert().values(**values))

    def of(self, tx: Transaction, org_id: str, subject_id: str) -> Sequence[HistoryEvent]:
        """Return the last 500 lines, oldest first."""
        table = rectification_history.c
        rows = tx.execute(
            rectification_history.select()
            .where(table.org_id == org_id, table.subject_id == subject_id)
            .order_by(table.seq.desc())
            .limit(500)
        ).all()
        return [HistoryEvent(**fields_of(row, "details")) for row in reversed(rows)]


class DatabaseWaivers:
    """Implements ``audits.ports.rectification.Waivers``."""

    def add(self, tx: Transaction, waiver: Waiver) -> None:
        """Store a new one."""
        tx.execute(waivers.insert().values(**asdict(waiver)))

    def get(self, tx: Transaction, org_id: str, waiver_id: str) -> Waiver:
        """Return it; raise ``WaiverNotFound``."""
        row = row_of(tx, waivers, org_id, waiver_id)
        if row is None:
            raise WaiverNotFound(f"no waiver {waiver_id[:60]}")
        return _waiver(row)

    def change(self, tx: Transaction, waiver: Waiver) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        changed = f"{waiver.id} changed since it was read"
        change_version(tx, waivers, asdict(waiver), changed)

    def page(self, tx: Transaction, org_id: str, system_id: str, page: PageRequest) -> Page[Waiver]:
        """Return waivers, the last asked for first; of one system or of all."""
        statement = waivers.select().where(waivers.c.org_id == org_id)
        if system_id:
            statement = statement.where(waivers.c.system_id == system_id)
        columns = (waivers.c.requested_at, waivers.c.id)
        return newest_page(tx, statement, columns, page, read=_waiver)

    def of_system(self, tx: Transaction, org_id: str, system_id: str) -> Sequence[Waiver]:
        """Return what was asked for a system, the last asked for first, at most 5,000."""
        rows = tx.execute(
            waivers.select()
            .where(waivers.c.org_id == org_id, waivers.c.system_id == system_id)
            .order_by(waivers.c.requested_at.desc(), waivers.c.id.desc())
            .limit(_MOST)
        )
        return [_waiver(row) for row in rows]

    def waiting(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation wait for a decision."""
        return count_rows(
            tx,
            waivers,
            waivers.c.org_id == org_id,
            waivers.c.state == "pending",
            waivers.c.expires_at > tx.now,
            waivers.c.requested_at > tx.now - DECIDED_WITHIN,
        )
