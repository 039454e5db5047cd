"""Emergency plans: written, approved by another person, in force until the next version is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass, replace
from typing import Final, get_args

from playbooks.core.texts import bounded
from playbooks.errors.custody import PlanStateRefused
from playbooks.models.emergency_plans import EmergencyPlan, PlanFormat, PlanState, PlanTask
from playbooks.models.incident_work import Task
from playbooks.service.incidents.plan_fitting import plans_for
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.incidents.tasks import MAX_TITLE, TaskService, known_phase
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.canonical import canonical
from secops.kernel.clock import DAY, MINUTE
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import (
    EMERGENCY_PLAN_APPROVE,
    EMERGENCY_PLAN_READ,
    EMERGENCY_PLAN_WRITE,
    INCIDENT_CHANGE,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.emergency_plan"
APPROVAL_SPAN: Final = 14 * DAY
MAX_CONTENT: Final = 200_000
MAX_PLANS: Final = 200
MAX_VERSIONS: Final = 500
MAX_NAMES: Final = 50
MAX_PLAN_TASKS: Final = 100
MAX_DUE_MINUTES: Final = 60 * 24 * 365
MAX_REVIEW: Final = 3 * 366 * DAY
MAX_REASON: Final = 1_000


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What a version says. ``review_at`` is when it is to be looked at again."""

    title: str
    content: str
    classes: tuple[str, ...]
    review_at: int
    format: PlanFormat = "markdown"
    playbooks: tuple[str, ...] = ()
    tasks: tuple[PlanTask, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanDecision:
    """What somebody decides of a version, named by the hash of what they saw."""

    version: int
    sha256: str
    grant: bool
    reason: str = ""


class EmergencyPlanService:
    """Writes, approves, lists and adopts plans. What is in force is never changed."""

    def __init__(
        self, surroundings: Surroundings, rights: IncidentRights, tasks: TaskService
    ) -> None:
        self._s = surroundings
        self._rights = rights
        self._tasks = tasks

    def write_emergency_plan(
        self, actor: Actor, new: NewPlan, plan_id: str | None = None
    ) -> EmergencyPlan:
        """Write version 1 of a new plan, or the next one of ``plan_id``, and submit it.

        It waits for another person; the version in force stays so meanwhile. One that waited
        is withdrawn by its successor. Raises ``PlanStateRefused`` for too many.
        """
        self._s.parts.access.require(actor, EMERGENCY_PLAN_WRITE, "emergency-plan:*")
        draft = self._checked(actor, new)

        def work(tx: Transaction) -> EmergencyPlan:
            plan = self._numbered(tx, draft, plan_id)
            plan = replace(plan, approval_id=self._ask(tx, actor, plan), written_at=tx.now)
            self._s.stores.plans.add(tx, plan)
            self._record(tx, "write_emergency_plan", actor, plan)
            return plan

        target = f"emergency-plan:{(plan_id or '*')[:60]}"
        with refusals_recorded(self._s.parts, "playbooks.write_emergency_plan", actor, target):
            return self._s.parts.transactions.run(work)

    def approve_emergency_plan(
        self, actor: Actor, plan_id: str, decision: PlanDecision
    ) -> EmergencyPlan:
        """Approve or reject a version that waits; raise ``SelfApproval`` for the writer.

        It is bound to the hash of what was seen. The approved one is in force at once, and the
        one before it is superseded.
        """
        target = f"emergency-plan:{plan_id}"
        self._s.parts.access.require(actor, EMERGENCY_PLAN_APPROVE, target)
        grant, reason = decision.grant, decision.reason

        def work(tx: Transaction) -> EmergencyPlan:
            plan = self._pending(tx, actor, plan_id, decision)
            approvals = self._s.parts.approvals
            approvals.decide(tx, plan.approval_id, actor, grant=grant, reason=reason[:MAX_REASON])
            if not grant:
                after = self._moved(tx, plan, "rejected")
                self._record(tx, "reject_emergency_plan", actor, after)
                return after
            approvals.use(tx, plan.approval_id, plan.sha256)
            for other in self._s.stores.plans.in_force(tx, actor.org_id):
                if other.id == plan.id:
                    self._moved(tx, other, "superseded")
            after = replace(
                plan,
                state="in_force",
                approved_by=actor.id,
                approved_at=tx.now,
                revision=plan.revision + 1,
            )
            self._s.stores.plans.change(tx, after)
            self._record(tx, "approve_emergency_plan", actor, after)
            return after

        with refusals_recorded(self._s.parts, "playbooks.approve_emergency_plan", actor, target):
            return self._s.parts.transactions.run(work)

    def withdraw_emergency_plan(self, actor: Actor, plan_id: str, version: int) -> EmergencyPlan:
        """Take a version out of force; by who approves plans."""
        target = f"emergency-plan:{plan_id}"
        self._s.parts.access.require(actor, EMERGENCY_PLAN_APPROVE, target)

        def work(tx: Transaction) -> EmergencyPlan:
            plan = self._s.stores.plans.get(tx, actor.org_id, plan_id, version)
            if plan.state != "in_force":
                msg = f"it is {plan.state}"
                raise PlanStateRefused(msg)
            after = self._moved(tx, plan, "withdrawn")
            self._record(tx, "withdraw_emergency_plan", actor, after)
            return after

        with refusals_recorded(self._s.parts, "playbooks.withdraw_emergency_plan", actor, target):
            return self._s.parts.transactions.run(work)

    def list_emergency_plans(self, actor: Actor, page: PageRequest) -> Page[EmergencyPlan]:
        """Return all versions of the caller's organisation, the last written first."""
        self._s.parts.access.require(actor, EMERGENCY_PLAN_READ, "emergency-plan:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.plans.list(tx, actor.org_id, page)
        )

    def show_emergency_plan(
        self, actor: Actor, plan_id: str, version: int | None = None
    ) -> EmergencyPlan:
        """Return a version, None for the newest."""
        self._s.parts.access.require(actor, EMERGENCY_PLAN_READ, f"emergency-plan:{plan_id}")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.plans.get(tx, actor.org_id, plan_id, version)
        )

    def adopt_emergency_plan(
        self, actor: Actor, incident_id: str, plan_id: str
    ) -> tuple[Task, ...]:
        """Work on an incident by a plan in force for its class: its tasks become the incident's.

        Raises ``PlanStateRefused`` for another plan, or one adopted before.
        """
        target = f"incident:{incident_id}"
        self._s.parts.access.require(actor, INCIDENT_CHANGE, target)

        def work(tx: Transaction) -> tuple[Task, ...]:
            self._rights.require(tx, actor, incident_id, "work")
            plan = self._adoptable(tx, actor, incident_id, plan_id)
            tasks = tuple(self._task(plan, task, incident_id, actor, tx) for task in plan.tasks)
            text = f"启用应急预案:{plan.title}(第 {plan.version} 版)"
            self._s.tell(tx, actor, (actor.org_id, incident_id), "plan", text, plan=_source(plan))
            if tasks:
                self._tasks.store(tx, actor, tasks)
            details = {"plan": plan.id, "version": plan.version, "sha256": plan.sha256}
            tx.record(Act("playbooks.adopt_emergency_plan", actor, target, details=details))
            return tasks

        with self._rights.refusals("adopt_emergency_plan", actor, incident_id):
            return self._s.parts.transactions.run(work)

    def _adoptable(
        self, tx: Transaction, actor: Actor, incident_id: str, plan_id: str
    ) -> EmergencyPlan:
        incident = self._s.stores.incidents.get(tx, actor.org_id, incident_id)
        fitting = {plan.id: plan for plan in plans_for(self._s, tx, incident)}
        if plan_id not in fitting:
            msg = "no plan in force for the incident's class has this id"
            raise PlanStateRefused(msg)
        plan = fitting[plan_id]
        _require_content(plan)
        told = self._s.stores.timelines.of(tx, actor.org_id, incident_id, "plan")
        if any(entry.details.get("plan") == _source(plan) for entry in told):
            msg = "this version was adopted before"
            raise PlanStateRefused(msg)
        return plan

    def _task(
        self, plan: EmergencyPlan, task: PlanTask, incident_id: str, actor: Actor, tx: Transaction
    ) -> Task:
        return Task(
            id=self._s.parts.ids.new("tsk"),
            incident_id=incident_id,
            org_id=actor.org_id,
            title=task.title,
            phase=task.phase,
            created_by=actor.id,
            created_at=tx.now,
            due_at=tx.now + task.due_minutes * MINUTE if task.due_minutes else None,
            source=_source(plan),
        )

    def _checked(self, actor: Actor, new: NewPlan) -> EmergencyPlan:
        now = self._s.parts.clock.now()
        if new.format not in get_args(PlanFormat):
            msg = "a plan is markdown or text"
            raise Invalid(msg)
        if not now < new.review_at <= now + MAX_REVIEW:
            msg = "a plan is reviewed within three years"
            raise Invalid(msg)
        if not 0 < len(new.classes) <= MAX_NAMES or len(new.playbooks) > MAX_NAMES:
            msg = f"a plan names 1 to {MAX_NAMES} classes and at most {MAX_NAMES} playbooks"
            raise Invalid(msg)
        classification = self._s.classification
        draft = EmergencyPlan(
            id="",
            version=0,
            org_id=actor.org_id,
            title=bounded(new.title, MAX_TITLE, "title"),
            format=new.format,
            content=bounded(new.content.replace("\r\n", "\n"), MAX_CONTENT, "plan"),
            classes=tuple(sorted({classification.require_class(c).code for c in new.classes})),
            playbooks=tuple(sorted({bounded(p, MAX_TITLE, "playbook") for p in new.playbooks})),
            tasks=_tasks(new.tasks),
            review_at=new.review_at,
            sha256="",
            state="pending",
            written_by=actor.id,
            written_at=now,
        )
        return replace(draft, sha256=_digest(draft))

    def _numbered(
        self, tx: Transaction, draft: EmergencyPlan, plan_id: str | None
    ) -> EmergencyPlan:
        if plan_id is None:
            if self._s.stores.plans.count(tx, draft.org_id) >= MAX_PLANS:
                msg = f"an organisation has at most {MAX_PLANS} plans"
                raise PlanStateRefused(msg)
            return replace(draft, id=self._s.parts.ids.new("epl"), version=1)
        newest = self._s.stores.plans.get(tx, draft.org_id, plan_id, None)
        if newest.version >= MAX_VERSIONS:
            msg = f"a plan has at most {MAX_VERSIONS} versions"
            raise PlanStateRefused(msg)
        if newest.state == "pending":
            self._moved(tx, newest, "withdrawn")
        return replace(draft, id=newest.id, version=newest.version + 1)

    def _ask(self, tx: Transaction, actor: Actor, plan: EmergencyPlan) -> str:
        approval = Approval(
            id=self._s.parts.ids.new("apr"),
            org_id=plan.org_id,
            kind=APPROVAL_KIND,
            subject=f"emergency-plan:{plan.id}:{plan.version}",
            subject_hash=plan.sha256,
            permission=EMERGENCY_PLAN_APPROVE,
            requester_id=actor.id,
            requested_at=tx.now,
            expires_at=tx.now + APPROVAL_SPAN,
        )
        self._s.parts.approvals.request(tx, approval)
        return approval.id

    def _pending(
        self, tx: Transaction, actor: Actor, plan_id: str, decision: PlanDecision
    ) -> EmergencyPlan:
        plan = self._s.stores.plans.get(tx, actor.org_id, plan_id, decision.version)
        if not hmac.compare_digest(plan.sha256, decision.sha256):
            msg = "the hash is not that of this version"
            raise PlanStateRefused(msg)
        if plan.state != "pending":
            msg = f"it is {plan.state}"
            raise PlanStateRefused(msg)
        _require_content(plan)
        return plan

    def _moved(self, tx: Transaction, plan: EmergencyPlan, state: PlanState) -> EmergencyPlan:
        after = replace(plan, state=state, ended_at=tx.now, revision=plan.revision + 1)
        self._s.stores.plans.change(tx, after)
        return after

    @staticmethod
    def _record(tx: Transaction, verb: str, actor: Actor, plan: EmergencyPlan) -> None:
        details = {"version": plan.version, "sha256": plan.sha256, "state": plan.state}
        tx.record(Act(f"playbooks.{verb}", actor, f"emergency-plan:{plan.id}", details=details))


def _tasks(given: tuple[PlanTask, ...]) -> tuple[PlanTask, ...]:
    if len(given) > MAX_PLAN_TASKS:
        msg = f"a plan has at most {MAX_PLAN_TASKS} tasks"
        raise Invalid(msg)
    for task in given:
        known_phase(task.phase)
        if not 0 <= task.due_minutes <= MAX_DUE_MINUTES:
            msg = "a task is due within a year"
            raise Invalid(msg)
    return tuple(replace(task, title=bounded(task.title, MAX_TITLE, "title")) for task in given)


def _digest(plan: EmergencyPlan) -> str:
    """Return the SHA-256 over all of a plan that somebody approves."""
    said = {
        "title": plan.title,
        "format": plan.format,
        "content": plan.content,
        "classes": list(plan.classes),
        "playbooks": list(plan.playbooks),
        "tasks": [asdict(task) for task in plan.tasks],
        "review_at": plan.review_at,
    }
    return hashlib.sha256(canonical(said)).hexdigest()


def _require_content(plan: EmergencyPlan) -> None:
    """Raise ``PlanStateRefused`` where the text is no longer the one that has this hash."""
    if not hmac.compare_digest(_digest(plan), plan.sha256):
        msg = "its text is not the one that was written"
        raise PlanStateRefused(msg)


def _source(plan: EmergencyPlan) -> str:
    return f"{plan.id}@{plan.version}"
