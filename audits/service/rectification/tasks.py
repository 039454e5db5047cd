"""Tasks of rectification: made from findings, assigned, proved, listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from audits.core import rectification as core
from audits.core.scans.limits import clean
from audits.errors import TooManyKept
from audits.errors.rectification import NotTheOwner, TaskStateRefused
from audits.models.assessments import AssessmentSummary
from audits.models.rectification import (
    TASK_STATES,
    Failing,
    HistoryEvent,
    Person,
    RectificationTask,
    TaskFilter,
)
from audits.models.risks import SEVERE, ScanFinding
from audits.service.rectification_desk import (
    MAX_FILE,
    RectificationDesk,
    reason_of,
    require_due,
    require_version,
)
from secops.kernel.actors import Actor
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid, NotFound, TooLarge
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.audits import (
    MANAGE_RECTIFICATION,
    PROVE_RECTIFICATION,
    READ_RECTIFICATION,
)
from secops.kernel.transactions import Transaction

_RECENT: Final = 20
MAX_UNCLOSED: Final = 5_000
MAX_AT_ONCE: Final = 500
LISTED_STATES: Final = ("", "overdue", "unclosed", *TASK_STATES)


@dataclass(frozen=True, slots=True)
class NewTasks:
    """Which findings become tasks: those of ``items``, all that fail for none.

    ``owner`` is an account's id or name; without ``due_at`` the weight of a finding decides.
    """

    owner: str
    items: tuple[str, ...] = ()
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class MadeTasks:
    """What became of findings: new tasks, closed ones open again, ones that stand anyway."""

    made: tuple[RectificationTask, ...]
    reopened: tuple[RectificationTask, ...]
    standing: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Another owner or deadline for the task read as ``version``, and why."""

    version: int
    reason: str
    owner: str = ""
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the owner says was done to the task read as ``version``, with a file maybe."""

    version: int
    text: str
    filename: str = ""
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class TaskService:
    """Makes, assigns, proves and lists tasks."""

    desk: RectificationDesk

    def recent_assessments(self, actor: Actor) -> Sequence[AssessmentSummary]:
        """Return the last assessments that tasks can be made of, the newest first."""
        self.desk.parts.access.require(actor, MANAGE_RECTIFICATION, "assessment:*")
        page = PageRequest(_RECENT)
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.assessments.page(tx, actor.org_id, page).items
        )

    def make_tasks(self, actor: Actor, assessment_id: str, new: NewTasks) -> MadeTasks:
        """Make tasks of what a stored assessment found failing, one per item and object.

        A finding that has a task keeps it; a closed one is open again. Raises ``TooManyKept``.
        """
        target = f"assessment:{assessment_id[:60]}"
        self.desk.parts.access.require(actor, MANAGE_RECTIFICATION, target)
        document = self.desk.document(actor, assessment_id)
        chosen = core.chosen_of(core.failing_of(document), new.items)
        owner = self.desk.person(actor, new.owner)
        now = self.desk.parts.clock.now()
        if new.due_at is not None:
            require_due(new.due_at, now)
        wanted = [
            self._task(actor, document, failing, owner, new.due_at or core.due_of(failing, now))
            for failing in chosen
        ]
        return self._make(actor, target, wanted, from_rfc3339(document["made_at"]))

    def make_scan_tasks(
        self, actor: Actor, system_id: str, owner: str, fingerprints: Sequence[str] = ()
    ) -> MadeTasks:
        """Make tasks of what scanners found in a system: the named, or all that are due.

        That is what is open, or was when its scope was retired. Each is due when its severity
        says.
        """
        target = f"system:{system_id[:60]}"
        self.desk.parts.access.require(actor, MANAGE_RECTIFICATION, target)
        person = self.desk.person(actor, owner)
        found = self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.findings.standing(tx, actor.org_id, system_id)
        )
        known = {one.fingerprint for one in found}
        if set(fingerprints) - known:
            raise Invalid("a finding that is named is not open")
        now = self.desk.parts.clock.now()
        wanted = [
            _scan_task(actor, self._id(), one, person, now)
            for one in found
            if one.due_at and (one.fingerprint in fingerprints or not fingerprints)
        ]
        return self._make(actor, target, wanted, now)

    def assign_task(self, actor: Actor, task_id: str, wanted: Assignment) -> RectificationTask:
        """Give the task another owner or deadline; no owner puts their own deadline off."""
        reason = reason_of(wanted.reason)
        owner = self.desk.person(actor, wanted.owner) if wanted.owner.strip() else None

        def work(tx: Transaction) -> RectificationTask:
            before = self._current(tx, actor, task_id, wanted.version)
            if before.state == "closed":
                raise TaskStateRefused("it is closed")
            due_at = before.due_at
            if wanted.due_at is not None:
                due_at = require_due(wanted.due_at, tx.now)
            if due_at > before.due_at:
                self.desk.parts.approvals.require_another(tx, actor, [before.owner_id])
            after = replace(
                before,
                owner_id=owner.id if owner else before.owner_id,
                owner_name=owner.name if owner else before.owner_name,
                due_at=due_at,
                version=before.version + 1,
            )
            self.desk.stores.tasks.change(tx, after)
            details = {"owner": after.owner_id, "due_at": after.due_at}
            self._tell(tx, actor, after, "assign_task", note=reason, details=details)
            return after

        return self.desk.run(
            actor, MANAGE_RECTIFICATION, "assign_task", f"task:{task_id[:60]}", work
        )

    def give_proof(self, actor: Actor, task_id: str, proof: Proof) -> RectificationTask:
        """Say what was done, with a file as evidence; raise ``NotTheOwner`` for anybody else."""
        target = f"task:{task_id[:60]}"
        self.desk.parts.access.require(actor, PROVE_RECTIFICATION, target)
        text = reason_of(proof.text)
        if len(proof.content) > MAX_FILE:
            raise TooLarge(f"a proof has at most {MAX_FILE} bytes")
        details: dict[str, Any] = {}
        if proof.content:  # what would be refused is not kept
            self.desk.run(
                actor,
                PROVE_RECTIFICATION,
                "give_proof",
                target,
                lambda tx: self._provable(tx, actor, task_id, proof.version),
            )
            digest = self.desk.parts.blobs.put(proof.content)
            name = clean(proof.filename, 200) or "proof"
            details = {"sha256": digest, "file": name, "bytes": len(proof.content)}

        def work(tx: Transaction) -> RectificationTask:
            before = self._provable(tx, actor, task_id, proof.version)
            after = core.give_proof(before, actor.id, tx.now)
            self.desk.stores.tasks.change(tx, after)
            self._tell(tx, actor, after, "give_proof", note=text, details=details)
            return after

        return self.desk.run(actor, PROVE_RECTIFICATION, "give_proof", target, work)

    def list_tasks(
        self, actor: Actor, wanted: TaskFilter, page: PageRequest
    ) -> Page[RectificationTask]:
        """Return tasks, the newest first."""
        self.desk.parts.access.require(actor, READ_RECTIFICATION, "task:*")
        if wanted.state not in LISTED_STATES:
            raise Invalid(f"states are {', '.join(LISTED_STATES[1:])}")
        owner = actor.id if wanted.owner_id == "me" else wanted.owner_id
        return self.desk.parts.transactions.read(
            lambda tx: self.desk.stores.tasks.page(
                tx, actor.org_id, replace(wanted, owner_id=owner), page
            )
        )

    def show_task(
        self, actor: Actor, task_id: str
    ) -> tuple[RectificationTask, Sequence[HistoryEvent]]:
        """Return a task and its history, oldest first."""
        self.desk.parts.access.require(actor, READ_RECTIFICATION, f"task:{task_id[:60]}")

        def read(tx: Transaction) -> tuple[RectificationTask, Sequence[HistoryEvent]]:
            task = self.desk.stores.tasks.get(tx, actor.org_id, task_id)
            return task, self.desk.stores.history.of(tx, actor.org_id, task.id)

        return self.desk.parts.transactions.read(read)

    def proof_file(self, actor: Actor, task_id: str, sha256: str) -> tuple[str, bytes]:
        """Return name and content of a file that a proof of this task brought."""
        _, history = self.show_task(actor, task_id)
        for event in history:
            if event.deed == "give_proof" and event.details.get("sha256") == sha256:
                return str(event.details["file"]), self.desk.parts.blobs.get(sha256)
        raise NotFound("the task has no such proof")

    def _make(
        self, actor: Actor, target: str, wanted: Sequence[RectificationTask], seen_at: int
    ) -> MadeTasks:
        """Store what has no task yet; what was seen after its task was closed is open again."""

        def work(tx: Transaction) -> MadeTasks:
            tasks = self.desk.stores.tasks
            subjects = sorted({task.subject for task in wanted})
            known = {
                _finding(task): task
                for system_id in {task.system_id for task in wanted}
                for task in tasks.known(tx, actor.org_id, system_id, subjects)
            }
            fresh = [task for task in wanted if _finding(task) not in known]
            if len(fresh) > MAX_AT_ONCE:
                raise TooLarge(f"at most {MAX_AT_ONCE} tasks are made at once: choose some")
            if tasks.unclosed(tx, actor.org_id) + len(fresh) > MAX_UNCLOSED:
                raise TooManyKept(f"{MAX_UNCLOSED} tasks are open: close some first")
            for task in fresh:
                tasks.add(tx, task)
                self._tell(tx, actor, task, "make_task", details=_origin(task))
            again = [
                core.found_again(known[_finding(task)], task)
                for task in wanted
                if _finding(task) in known and _came_again(known[_finding(task)], seen_at)
            ]
            for task in again:
                tasks.change(tx, task)
                self._tell(tx, actor, task, "reopen_task", details=_origin(task))
            standing = len(wanted) - len(fresh) - len(again)
            return MadeTasks(tuple(fresh), tuple(again), standing)

        return self.desk.run(actor, MANAGE_RECTIFICATION, "make_tasks", target, work)

    def _task(
        self,
        actor: Actor,
        document: Mapping[str, Any],
        failing: Failing,
        owner: Person,
        due_at: int,
    ) -> RectificationTask:
        return RectificationTask(
            id=self._id(),
            org_id=actor.org_id,
            system_id=core.system_of(document),
            source="item",
            standard=document["standard"],
            level=document["level"],
            subject=failing.item_id,
            object_id=failing.object_id,
            object_name=failing.object_name,
            title_zh=failing.title.zh,
            title_en=failing.title.en,
            finding_zh=failing.reason.zh,
            finding_en=failing.reason.en,
            assessment_id=document["id"],
            by_person=failing.by_person,
            high_risk=failing.high_risk,
            owner_id=owner.id,
            owner_name=owner.name,
            due_at=due_at,
            made_by=actor.id,
            made_at=self.desk.parts.clock.now(),
        )

    def _id(self) -> str:
        return self.desk.parts.ids.new("rct")

    def _provable(
        self, tx: Transaction, actor: Actor, task_id: str, version: int
    ) -> RectificationTask:
        task = self._current(tx, actor, task_id, version)
        if task.owner_id != actor.id:
            raise NotTheOwner
        return task

    def _current(
        self, tx: Transaction, actor: Actor, task_id: str, version: int
    ) -> RectificationTask:
        task = self.desk.stores.tasks.get(tx, actor.org_id, task_id)
        require_version(task, version)
        return task

    def _tell(
        self, tx: Transaction, actor: Actor, task: RectificationTask, deed: str, **more: Any
    ) -> None:
        self.desk.tell(tx, actor, f"task:{task.id}", deed, task.state, **more)


def _finding(task: RectificationTask) -> tuple[str, ...]:
    return task.system_id, task.source, task.standard, task.subject, task.object_id


def _came_again(task: RectificationTask, seen_at: int) -> bool:
    return task.state == "closed" and task.closed_at < seen_at


def _origin(task: RectificationTask) -> dict[str, Any]:
    return {
        "system": task.system_id,
        "source": task.source,
        "subject": task.subject,
        "object": task.object_id,
        "owner": task.owner_id,
        "due_at": task.due_at,
        "assessment": task.assessment_id,
    }


def _scan_task(
    actor: Actor, task_id: str, finding: ScanFinding, owner: Person, now: int
) -> RectificationTask:
    """Return the task of a scanner's finding; its object is the scan's scope."""
    told = f"{finding.rule_id} {finding.asset} {finding.place} {finding.description}"
    text = " ".join(told.split())[:1_000]
    return RectificationTask(
        id=task_id,
        org_id=actor.org_id,
        system_id=finding.system_id,
        source="scan",
        standard="",
        level=0,
        subject=finding.fingerprint,
        object_id=finding.scope,
        object_name=finding.asset,
        title_zh=finding.title,
        title_en=finding.title,
        finding_zh=text,
        finding_en=text,
        high_risk=finding.severity in SEVERE,
        owner_id=owner.id,
        owner_name=owner.name,
        due_at=finding.due_at,
        made_by=actor.id,
        made_at=now,
    )
