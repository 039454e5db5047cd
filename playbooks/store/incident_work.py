"""Members, tasks and observables of incidents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from playbooks.errors import ChangedMeanwhile
from playbooks.errors.custody import TaskNotFound
from playbooks.models.incident_work import Member, Observable, Sighting, Task
from playbooks.store.rows import fields_of
from playbooks.store.tables import incident_members, incident_tasks, incidents, observables
from secops.kernel.transactions import Transaction

MAX_SIGHTINGS: Final = 200


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
            _insert(transaction, incident_members, asdict(member))

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
        changed = transaction.execute(
            incident_tasks.update()
            .where(
                incident_tasks.c.id == task.id,
                incident_tasks.c.org_id == task.org_id,
                incident_tasks.c.version == task.version - 1,
            )
            .values(**asdict(task))
        )
        if changed.rowcount != 1:
            msg = f"{task.id} changed since it was read"
            raise ChangedMeanwhile(msg)

    def tasks(self, transaction: Transaction, org_id: str, incident_id: str) -> Sequence[Task]:
        """Return an incident's tasks, oldest first."""
        columns = incident_tasks.c
        rows = transaction.execute(
            incident_tasks.select()
            .where(columns.incident_id == incident_id, columns.org_id == org_id)
            .order_by(columns.created_at, columns.id)
        )
        return [Task(**fields_of(row)) for row in rows]

    def see(self, transaction: Transaction, seen: Observable) -> bool:
        """Add an observable, or widen when a known one was seen; True if it is new."""
        columns = observables.c
        here = (
            columns.incident_id == seen.incident_id,
            columns.kind == seen.kind,
            columns.value == seen.value,
            columns.org_id == seen.org_id,
        )
        widened = transaction.execute(
            observables.update()
            .where(*here)
            .values(
                first_seen=sa.case(
                    (columns.first_seen < seen.first_seen, columns.first_seen),
                    else_=seen.first_seen,
                ),
                last_seen=sa.case(
                    (columns.last_seen > seen.last_seen, columns.last_seen), else_=seen.last_seen
                ),
            )
        )
        if widened.rowcount:
            return False
        _insert(transaction, observables, asdict(seen))
        return True

    def observables(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[Observable]:
        """Return an incident's observables by kind and value."""
        columns = observables.c
        rows = transaction.execute(
            observables.select()
            .where(columns.incident_id == incident_id, columns.org_id == org_id)
            .order_by(columns.kind, columns.value)
        )
        return [Observable(**fields_of(row)) for row in rows]

    def sightings(
        self, transaction: Transaction, org_id: str, incident_id: str
    ) -> Sequence[Sighting]:
        """Return where else the incident's observables were seen, at most 200, newest first."""
        mine = observables.alias("mine")
        joined = sa.join(
            observables,
            mine,
            sa.and_(
                mine.c.org_id == observables.c.org_id,
                mine.c.kind == observables.c.kind,
                mine.c.value == observables.c.value,
            ),
        )
        wanted = (
            mine.c.incident_id == incident_id,
            mine.c.org_id == org_id,
            observables.c.incident_id != incident_id,
        )
        return _sightings(transaction, joined, wanted)

    def find(
        self, transaction: Transaction, org_id: str, kind: str, value: str
    ) -> Sequence[Sighting]:
        """Return the incidents that have this observable, at most 200, newest first."""
        columns = observables.c
        wanted = (columns.org_id == org_id, columns.kind == kind, columns.value == value)
        return _sightings(transaction, observables, wanted)


def _sightings(transaction: Transaction, source: Any, wanted: Sequence[Any]) -> Sequence[Sighting]:
    whole = sa.join(source, incidents, incidents.c.id == observables.c.incident_id)
    columns = observables.c
    rows = transaction.execute(
        sa.select(
            columns.kind,
            columns.value,
            columns.incident_id,
            incidents.c.title,
            incidents.c.state,
            columns.first_seen,
            columns.last_seen,
        )
        .select_from(whole)
        .where(*wanted)
        .order_by(columns.last_seen.desc(), columns.incident_id, columns.kind, columns.value)
        .limit(MAX_SIGHTINGS)
    )
    return [Sighting(**fields_of(row)) for row in rows]


def _insert(transaction: Transaction, table: sa.Table, values: dict[str, Any]) -> None:
    try:
        transaction.execute(table.insert().values(**values))
    except IntegrityError as error:
        msg = "it was added meanwhile"
        raise ChangedMeanwhile(msg) from error
