"""Runs of playbooks: asked for, shown, approved by another person, answered, cancelled."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from playbooks.core.choices import assigned
from playbooks.core.execution import contained_accounts, freed_accounts, next_moves
from playbooks.core.variables import MAX_VALUE, fits
from playbooks.errors import PlanChanged, RunStateRefused
from playbooks.errors.runs import ResultRefused
from playbooks.models import FINAL_STATES, CheckedPlaybook, JournalEntry, Plan, Run
from playbooks.models.views import RunView
from playbooks.ports import RunStore
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.refusals import refusals_recorded
from playbooks.service.runs.planning import Planner, PlanRequest
from playbooks.service.runs.run_views import RunViews
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.approvals import Approval
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import (
    RUN_APPROVE,
    RUN_CANCEL,
    RUN_READ,
    RUN_REQUEST,
    RUN_RESOLVE,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

APPROVAL_KIND: Final = "playbooks.run"
MAX_REASON: Final = 1_000


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Run ``playbook`` for an incident, with values for its variables."""

    incident_id: str
    playbook: CheckedPlaybook
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """What a person says about a step done by hand, or one whose outcome is unknown.

    ``values`` are the results that the step's out_args ask for.
    """

    path: str
    outcome: Literal["done", "failed"]
    note: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


class RunService:
    """Requests, approvals and answers; the runner does the rest."""

    def __init__(
        self,
        surroundings: Surroundings,
        playbooks: PlaybookService,
        planner: Planner,
        views: RunViews,
    ) -> None:
        self._s = surroundings
        self._playbooks = playbooks
        self._planner = planner
        self._views = views

    def plan_run(self, actor: Actor, request: RunRequest) -> Plan:
        """Return exactly what a run would do now (a dry run); changes nothing."""
        self._s.parts.access.require(actor, RUN_REQUEST, f"incident:{request.incident_id}")
        incident = self._s.parts.transactions.read(
            lambda tx: self._s.stores.incidents.get(tx, actor.org_id, request.incident_id)
        )
        return self._planner.plan(
            PlanRequest(
                requester_id=actor.id,
                incident=incident,
                playbook=request.playbook,
                given=request.variables,
                trusted=self._playbooks.is_trusted(actor.org_id, request.playbook),
            )
        )

    def request_run(self, actor: Actor, request: RunRequest) -> Run:
        """Ask for a run; it waits for approval unless no step needs one."""
        plan = self.plan_run(actor, request)
        self._playbooks.register(actor, request.playbook)
        run = self._new(actor, plan)

        def work(tx: Transaction) -> None:
            if run.approval_id is not None:
                self._s.parts.approvals.request(tx, approval_for(run, tx.now))
            self._s.stores.runs.add(tx, run)
            place = (run.org_id, run.incident_id)
            text = f"申请运行剧本:{request.playbook.name}"
            self._s.tell(tx, actor, place, "run", text, run_id=run.id, plan=plan.sha256)
            tx.record(Act("playbooks.request_run", actor, f"run:{run.id}", details=facts_of(run)))

        self._s.parts.transactions.run(work)
        return run

    def approve_run(
        self, actor: Actor, run_id: str, *, grant: bool, plan_sha256: str, reason: str = ""
    ) -> Run:
        """Approve or reject exactly the plan whose hash was seen; raise ``PlanChanged``.

        Requester and approvers are different persons, and nobody approves what frees an account
        of their own (``SelfApproval``); a rejected run is cancelled. A plan that wants several
        approvers waits for the next one.
        """
        self._s.parts.access.require(actor, RUN_APPROVE, f"run:{run_id}")

        def work(tx: Transaction) -> Run:
            run = self._s.stores.runs.get(tx, actor.org_id, run_id)
            if run.state != "awaiting_approval" or run.approval_id is None:
                msg = f"the run is {run.state}"
                raise RunStateRefused(msg)
            if not hmac.compare_digest(run.plan.sha256, plan_sha256):
                msg = "the hash is not that of the present plan"
                raise PlanChanged(msg)
            if grant:
                freed = freed_accounts(run.plan)
                self._s.parts.approvals.require_another(tx, actor, freed)
            why = reason[:MAX_REASON]
            self._s.parts.approvals.decide(tx, run.approval_id, actor, grant=grant, reason=why)
            decided = self._decided(tx, run, actor, grant=grant)
            self._s.stores.runs.change(tx, decided, was=run)
            place = (run.org_id, run.incident_id)
            text = "批准剧本运行" if grant else "驳回剧本运行"
            self._s.tell(tx, actor, place, "run", text, run_id=run.id, plan=run.plan.sha256)
            act = "playbooks.approve_run" if grant else "playbooks.reject_run"
            tx.record(Act(act, actor, f"run:{run.id}", details=facts_of(run)))
            return decided

        with refusals_recorded(self._s.parts, "playbooks.approve_run", actor, f"run:{run_id[:60]}"):
            return self._s.parts.transactions.run(work)

    def cancel_run(self, actor: Actor, run_id: str, *, reason: str) -> Run:
        """Stop a run before its next step; what has a compensation is taken back.

        Nobody frees an account of their own so (``SelfApproval``).
        """
        self._s.parts.access.require(actor, RUN_CANCEL, f"run:{run_id}")

        def work(tx: Transaction) -> Run:
            run = self._s.stores.runs.get(tx, actor.org_id, run_id)
            if run.state in FINAL_STATES:
                msg = f"the run is {run.state}"
                raise RunStateRefused(msg)
            refuse_contained(self._s, tx, actor, run)
            why = f"cancelled by {actor.id}"
            cancelled = cancelled_run(self._s.stores.runs, tx, run, by=actor.id, why=why)
            self._s.stores.runs.change(tx, cancelled, was=run)
            place = (run.org_id, run.incident_id)
            text = f"取消剧本运行:{reason[:MAX_REASON]}"
            self._s.tell(tx, actor, place, "run", text, run_id=run.id)
            tx.record(Act("playbooks.cancel_run", actor, f"run:{run.id}"))
            return cancelled

        with refusals_recorded(self._s.parts, "playbooks.cancel_run", actor, f"run:{run_id[:60]}"):
            return self._s.parts.transactions.run(work)

    def resolve_step(self, actor: Actor, run_id: str, answer: StepAnswer) -> Run:
        """Answer for a step that waits for a person; the runner goes on from there.

        An answer may end the run, which gives back: nobody answers who is held back by it.
        """
        self._s.parts.access.require(actor, RUN_RESOLVE, f"run:{run_id}")
        if answer.outcome not in ("done", "failed"):
            msg = "a step is answered with done or failed"
            raise Invalid(msg)

        def work(tx: Transaction) -> Run:
            run = self._s.stores.runs.get(tx, actor.org_id, run_id)
            refuse_contained(self._s, tx, actor, run)
            waiting = self._waiting_entry(tx, run, answer.path)
            entry = replace(
                waiting,
                seq=len(self._s.stores.runs.journal(tx, run_id)) + 1,
                at=tx.now,
                kind="outcome",
                state=answer.outcome,
                deadline=0,
                details={
                    "answered_by": actor.id,
                    "note": answer.note[:MAX_REASON],
                    **_results(run, answer),
                },
            )
            self._s.stores.runs.append(tx, entry, fence=run.fence)
            resumed = replace(run, state="running", error="", due_at=tx.now)
            self._s.stores.runs.change(tx, resumed, was=run)
            place = (run.org_id, run.incident_id)
            text = f"人工确认步骤:{answer.outcome} {answer.note[:MAX_REASON]}".strip()
            self._s.tell(tx, actor, place, "step", text, run_id=run.id, step=answer.path)
            details = {"step": answer.path, "outcome": answer.outcome}
            tx.record(Act("playbooks.resolve_step", actor, f"run:{run.id}", details=details))
            return resumed

        with refusals_recorded(
            self._s.parts, "playbooks.resolve_step", actor, f"run:{run_id[:60]}"
        ):
            return self._s.parts.transactions.run(work)

    def list_runs(self, actor: Actor, incident_id: str | None, page: PageRequest) -> Page[Run]:
        """Return runs of the caller's organisation, newest first."""
        self._s.parts.access.require(actor, RUN_READ, "run:*")
        return self._s.parts.transactions.read(
            lambda tx: self._s.stores.runs.list(tx, actor.org_id, incident_id, page)
        )

    def show_run(self, actor: Actor, run_id: str) -> RunView:
        """Return a run with its journal."""
        self._s.parts.access.require(actor, RUN_READ, f"run:{run_id}")

        def work(tx: Transaction) -> RunView:
            run = self._s.stores.runs.get(tx, actor.org_id, run_id)
            return self._views.of(tx, run)

        return self._s.parts.transactions.read(work)

    def pending_approvals(self, actor: Actor) -> list[Approval]:
        """Return the runs' approvals that wait in the caller's organisation."""
        self._s.parts.access.require(actor, RUN_READ, "run:*")
        waiting = self._s.parts.transactions.read(
            lambda tx: self._s.parts.approvals.pending(tx, actor.org_id)
        )
        return [approval for approval in waiting if approval.kind == APPROVAL_KIND]

    def _waiting_entry(self, tx: Transaction, run: Run, path: str) -> JournalEntry:
        if run.state == "waiting" and run.started_at is not None:
            entries = self._s.stores.runs.journal(tx, run.id)
            for move in next_moves(run.plan, entries, started_at=run.started_at, now=tx.now):
                if move.kind in ("ask", "expire") and move.step and move.step.path == path:
                    mine = (path, move.loop, move.index)
                    return [e for e in entries if e.place == mine][-1]
        msg = "the run does not wait for an answer about this step"
        raise RunStateRefused(msg)

    def _decided(self, tx: Transaction, run: Run, actor: Actor, *, grant: bool) -> Run:
        if not grant:
            return replace(
                run,
                state="cancelled",
                approver_id=actor.id,
                finished_at=tx.now,
                due_at=None,
                error="rejected",
            )
        self._s.parts.approvals.require_another(tx, actor, run.approvers)
        approvers = (*run.approvers, actor.id)
        if len(approvers) >= run.plan.approvers:
            return replace(
                run, state="approved", approver_id=actor.id, approvers=approvers, due_at=tx.now
            )
        approvals = self._s.parts.approvals
        approvals.use(tx, str(run.approval_id), run.plan.sha256)
        waiting = replace(
            run, approval_id=self._s.parts.ids.new("apr"), approver_id=actor.id, approvers=approvers
        )
        approvals.request(tx, approval_for(waiting, tx.now))
        return waiting

    def _new(self, actor: Actor, plan: Plan) -> Run:
        now = self._s.parts.clock.now()
        return Run(
            id=self._s.parts.ids.new("run"),
            org_id=actor.org_id,
            incident_id=plan.incident_id,
            plan=plan,
            state="awaiting_approval" if plan.needs_approval else "approved",
            requester_id=actor.id,
            created_at=now,
            expires_at=now + plan.expires_s * SECOND,
            approval_id=self._s.parts.ids.new("apr") if plan.needs_approval else None,
            due_at=now + plan.expires_s * SECOND + 1 if plan.needs_approval else now,
        )


def refuse_contained(s: Surroundings, tx: Transaction, actor: Actor, run: Run) -> None:
    """Raise ``SelfApproval`` where the run took something from an account of ``actor``'s person."""
    held = contained_accounts(run.plan, s.stores.runs.journal(tx, run.id))
    s.parts.approvals.require_another(tx, actor, held)


def _results(run: Run, answer: StepAnswer) -> dict[str, Any]:
    """Return what the answer sets: all the step's results as their types want them.

    A value of the wrong type is refused here, where it can be corrected: a condition that
    can't be decided would fail the run and take containment back.
    """
    step = next(step for step in run.plan.steps if step.path == answer.path)
    wanted = step.out_args if answer.outcome == "done" else ()
    if set(answer.values) != set(wanted):
        names = ", ".join(wanted) or "no variable"
        msg = f"the answer gives values for {names}"
        raise RunStateRefused(msg)
    for name, value in answer.values.items():
        kind = step.asks.get(name, {}).get("type", "string")
        if not fits(kind, value):
            msg = f"{name} is no {kind}, or longer than {MAX_VALUE} characters"
            raise ResultRefused(msg)
    return assigned(step, answer.values)


def cancelled_run(store: RunStore, tx: Transaction, run: Run, *, by: str, why: str) -> Run:
    """Return the run as cancelled, or with its journal told to take back what was done."""
    entries = store.journal(tx, run.id)
    if not entries or not any(step.compensate for step in run.plan.steps):
        return replace(run, state="cancelled", finished_at=tx.now, error=why, due_at=None)
    entry = JournalEntry(
        run_id=run.id,
        seq=len(entries) + 1,
        org_id=run.org_id,
        at=tx.now,
        path="",
        index=0,
        target=f"run:{run.id}",
        key="",
        attempt=1,
        kind="cancel",
        details={"by": by},
    )
    store.append(tx, entry, fence=run.fence)
    return replace(run, state="compensating", error=why, due_at=tx.now)


def approval_for(run: Run, now: int) -> Approval:
    """Return the request for approval of exactly the run's plan."""
    return Approval(
        id=str(run.approval_id),
        org_id=run.org_id,
        kind=APPROVAL_KIND,
        subject=f"run:{run.id}",
        subject_hash=run.plan.sha256,
        permission=RUN_APPROVE,
        requester_id=run.requester_id,
        requested_at=now,
        expires_at=run.expires_at,
    )


def facts_of(run: Run) -> dict[str, str | int | None]:
    """Return what a ledger leaf says of a run."""
    return {
        "incident_id": run.incident_id,
        "playbook_id": run.plan.playbook_id,
        "content_hash": run.plan.content_hash,
        "plan_sha256": run.plan.sha256,
        "plan_sm3": run.plan.sm3,
        "requester_id": run.requester_id,
        "approval_id": run.approval_id,
    }
