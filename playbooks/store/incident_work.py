"""Members and tasks of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from playbooks.errors.custody import TaskNotFound
from playbooks.models.incident_work import Member, Task
from playbooks.store.rows import change_one, fields_of, insert_once
from playbooks.store.tables import incident_members, incident_tasks
from secops.kernel.transactions import Transaction


class IncidentWork:
    """Implements ``playbooks.ports.incident_work.IncidentWorkStore``."""

    def set_member(self, transaction: Transaction, member: Member) -> None:
        """Add a member, or give a known one another role."""
        columns = incident_members.c
        changed = transaction.execute(
            incident_members.update()
            .where(
                columns.incident_id == member.incident_id,
                columns.account_id == member.account_id,
                columns.org_id == member.org_id,
            )
            .values(role=member.role, name=member.name)
        )
        if changed.rowcount == 0:
            insert_once(transaction, incident_members, asdict(member))

    def remove_member(
        self, transaction: Transaction, org_id: str, incident_id: str, account_id: str
    ) -> None:
        """Remove a member, if they are one."""
        columns = incident_members.c
        transaction.execute(
            incident_members.delete().where(
                columns.incident_id == incident_id,
                columns.account_id == account_id,
                columns.org_id == org_id,
            )
        )

    def members(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Member]:
        """Return an incident's members, the first added first."""
        columns = incident_members.c
        rows = transaction.execute(
            incident_members.select()
            .where(columns.incident_id == incident_id, columns.org_id == org_id)
            .order_by(columns.added_at, columns.account_id)
        )
        return [Member(**fields_of(row)) for row in rows]

    def add_task(self, transaction: Transaction, task: Task) -> None:
        """Store a new task."""
        transaction.execute(incident_tasks.insert().values(**asdict(task)))

    def task(self, transaction: Transaction, org_id: str, task_id: str) -> Task:
        """Return it; raise ``TaskNotFound``."""
        row = transaction.execute(
            incident_tasks.select().where(
                incident_tasks.c.id == task_id, incident_tasks.c.org_id == org_id
            )
        ).first()
        if row is None:
            msg = f"no task {task_id[:60]}"
            raise TaskNotFound(msg)
        return Task(**fields_of(row))

    def change_task(self, transaction: Transaction, task: Task) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        change_one(
            transaction,
            incident_tasks.update()
            .where(
                incident_tasks.c.id == task.id,
                incident_tasks.c.org_id == task.org_id,
                incident_tasks.c.version == task.version - 1,
            )
            .values(**asdict(task)),
            f"{task.id} changed since it was read",
        )

    def tasks(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Task]:
        """Return an incident's tasks, oldest first."""
        columns = incident_tasks.c
        rows = transaction.execute(
            incident_tasks.select()
            .where(columns.incident_id == incident_id, columns.org_id == org_id)
            .order_by(columns.created_at, columns.id)
        )
        return [Task(**fields_of(row)) for row in rows]
