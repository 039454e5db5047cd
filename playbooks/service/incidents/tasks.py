"""Tasks of an incident: who does what by when, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, get_args

from playbooks.core.texts import at_most, bounded
from playbooks.core.versions import require_version
from playbooks.errors.custody import TaskRefused
from playbooks.models import INCIDENT_STATES
from playbooks.models.incident_work import TASK_STATES, Task, TaskState
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_TASKS: Final = 200
MAX_TITLE: Final = 200
MAX_RESULT: Final = 2_000
MAX_DUE: Final = 3 * 366 * DAY
PHASES: Final = tuple(state for state in INCIDENT_STATES if state != "closed")


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task. ``assignee`` is an account's id or name, "" for nobody yet."""

    title: str
    phase: str
    assignee: str = ""
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What becomes of a task that was read as ``version``; None leaves a field as it is."""

    version: int
    state: TaskState | None = None
    assignee: str | None = None
    result: str | None = None


class TaskService:
    """Adds tasks and says what became of them."""

    def __init__(self, surroundings: Surroundings, rights: IncidentRights) -> None:
        self._s = surroundings
        self._rights = rights

    def add_task(self, actor: Actor, incident_id: str, new: NewTask) -> Task:
        """Add a task to the incident."""
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_CHANGE, target)
        now = self._s.parts.clock.now()
        if new.due_at is not None and abs(new.due_at - now) > MAX_DUE:
            msg = "a task is due within three years"
            raise Invalid(msg)
        person = self._rights.person(actor, new.assignee) if new.assignee.strip() else None
        task = Task(
            id=self._s.parts.ids.new("tsk"),
            incident_id=incident_id,
            org_id=actor.org_id,
            title=bounded(new.title, MAX_TITLE, "title"),
            phase=known_phase(new.phase),
            created_by=actor.id,
            created_at=now,
            assignee=person.id if person else "",
            assignee_name=person.name if person else "",
            due_at=new.due_at,
        )

        def work(tx: Transaction) -> None:
            self._rights.require(tx, actor, incident_id, "work")
            self.store(tx, actor, (task,))

        with self._rights.refusals("add_task", actor, incident_id):
            self._s.parts.transactions.run(work)
        return task

    def store(self, tx: Transaction, actor: Actor, tasks: tuple[Task, ...]) -> None:
        """Add tasks of one incident for a caller who may; raise ``TaskRefused`` for too many."""
        known = self._s.stores.work.tasks(tx, actor.org_id, tasks[0].incident_id)
        if len(known) + len(tasks) > MAX_TASKS:
            msg = f"an incident has at most {MAX_TASKS} tasks"
            raise TaskRefused(msg)
        for task in tasks:
            self._s.stores.work.add_task(tx, task)
            place = (task.org_id, task.incident_id)
            self._s.tell(tx, actor, place, "task", f"新任务:{task.title}", task_id=task.id)
            details = {"incident_id": task.incident_id, "phase": task.phase}
            tx.record(Act("playbooks.add_task", actor, f"task:{task.id}", details=details))

    def change_task(self, actor: Actor, task_id: str, change: TaskChange) -> Task:
        """Change a task as it was read; raise ``ChangedMeanwhile`` if it isn't that any more.

        Done is written with the result; who says so is entered as who did it.
        """
        target = f"task:{task_id}"
        self._s.parts.access.require(actor, INCIDENT_CHANGE, target)
        if change.state is not None and change.state not in get_args(TaskState):
            msg = f"states are {', '.join(TASK_STATES)}"
            raise Invalid(msg)
        named = (change.assignee or "").strip()
        person = self._rights.person(actor, named) if named else None

        def work(tx: Transaction) -> Task:
            before = self._s.stores.work.task(tx, actor.org_id, task_id)
            self._rights.require(tx, actor, before.incident_id, "work")
            require_version(before.id, before.version, change.version)
            after = _changed(before, change, actor, tx.now)
            if change.assignee is not None:
                after = replace(
                    after,
                    assignee=person.id if person else "",
                    assignee_name=person.name if person else "",
                )
            self._s.stores.work.change_task(tx, after)
            self._tell(tx, actor, after)
            return after

        with refusals_recorded(self._s.parts, "playbooks.change_task", actor, target):
            return self._s.parts.transactions.run(work)

    def _tell(self, tx: Transaction, actor: Actor, task: Task) -> None:
        ending = f":{task.result}" if task.result else ""
        text = f"任务“{task.title}”{TASK_STATES[task.state].zh}{ending}"
        place = (task.org_id, task.incident_id)
        self._s.tell(tx, actor, place, "task", text, task_id=task.id)
        details = {"incident_id": task.incident_id, "state": task.state, "assignee": task.assignee}
        tx.record(Act("playbooks.change_task", actor, f"task:{task.id}", details=details))


def known_phase(phase: str) -> str:
    """Return ``phase`` if it is one; raise ``Invalid`` otherwise."""
    if phase not in PHASES:
        msg = f"phases are {', '.join(PHASES)}"
        raise Invalid(msg)
    return phase


def _changed(before: Task, change: TaskChange, actor: Actor, now: int) -> Task:
    after = replace(before, version=before.version + 1)
    if change.result is not None:
        after = replace(after, result=at_most(change.result, MAX_RESULT, "result"))
    if change.state is None or change.state == before.state:
        return after
    if change.state == "open":
        return replace(after, state="open", done_by="", done_at=None)
    return replace(after, state=change.state, done_by=actor.id, done_at=now)
