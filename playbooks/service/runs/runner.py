"""The runner: works through approved runs, and goes on after any crash.

Each step: the intent is durable, then the call, then the outcome is durable. What to do
next is decided from the journal alone (``core/execution``), so a killed runner's successor
comes to the same decision. A lease per run, and its fence in every write, keep two runners
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from playbooks.core.execution import next_moves
from playbooks.core.moves import Move, Moves, best, due
from playbooks.core.notifications.inbox import inbox_message
from playbooks.errors import ChangedMeanwhile
from playbooks.models import FINAL_STATES, JournalEntry, Notification, Run
from playbooks.models.runs import RunState
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.performing import RUNNER, Performer, note
from playbooks.service.runs.planning import Planner, PlanRequest
from playbooks.service.runs.runs import approval_for, facts_of
from playbooks.service.surroundings import Surroundings
from secops.kernel.approvals import NotPending
from secops.kernel.clock import SECOND
from secops.kernel.errors import AuditUnavailable, SecopsError, Unavailable
from secops.kernel.leases import Lease
from secops.kernel.parts import Parts
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

LEASE_SECONDS: Final = 30.0
BATCH: Final = 50
ASIDE_SECONDS: Final = 2.0


class Runner:
    """Advances runs. ``owner`` names this process in leases."""

    def __init__(
        self,
        surroundings: Surroundings,
        planner: Planner,
        playbooks: PlaybookService,
        performer: Performer,
        owner: str,
    ) -> None:
        self._s = surroundings
        self._planner = planner
        self._playbooks = playbooks
        self._performer = performer
        self._owner = owner
        self._aside: dict[str, float] = {}

    def advance_all(self) -> bool:
        """Advance the runs that are due; True if there may be more of them now.

        What can't go on now is set aside for a moment: fifty such runs keep no other waiting.
        """
        now, ticks = self._s.parts.clock.now(), self._s.parts.clock.monotonic()
        self._aside = {run: until for run, until in self._aside.items() if until > ticks}
        limit = BATCH + len(self._aside)
        found = self._s.parts.transactions.read(lambda tx: self._s.stores.runs.due(tx, now, limit))
        waiting = [run_id for run_id in found if run_id not in self._aside][:BATCH]
        for run_id in waiting:
            if not self._advanced(run_id, now):
                self._aside[run_id] = ticks + ASIDE_SECONDS
        return len(waiting) == BATCH

    def _advanced(self, run_id: str, now: int) -> bool:
        """Tell whether the run is no longer due, as it was at ``now``."""
        try:
            due_at = self.advance(run_id).due_at
        except SecopsError:
            return False
        return due_at is None or due_at > now

    def advance(self, run_id: str) -> Run:
        """Work on a run until it ends or waits, and return it; another runner's is left."""
        run = self._read(run_id)
        if not self._has_work(run):
            return run
        leases = self._s.parts.leases
        lease = leases.acquire(f"playbooks.run.{run_id}", self._owner, LEASE_SECONDS)
        if lease is None:
            return run
        try:
            return self._work(self._read(run_id), lease)
        except ChangedMeanwhile:
            return self._read(run_id)  # cancelled, or taken over: the other side goes on
        finally:
            leases.release(lease)

    def _has_work(self, run: Run) -> bool:
        """Tell from the outside whether anything can be done now; takes no lease."""
        now = self._s.parts.clock.now()
        if run.state == "awaiting_approval":
            return now > run.expires_at
        if run.state in FINAL_STATES:
            return run.due_at is not None and run.due_at <= now
        if run.state != "waiting" or run.started_at is None:
            return True
        return best(self._moves(run, self._journal(run))).kind not in ("ask", "wait", "approve")

    def _moves(self, run: Run, entries: Sequence[JournalEntry]) -> Moves:
        now = self._s.parts.clock.now()
        return next_moves(run.plan, entries, started_at=int(run.started_at or 0), now=now)

    def _work(self, run: Run, lease: Lease) -> Run:
        if not self._has_work(run):
            return run  # somebody was quicker
        if run.started_at is None:
            run = self._begin(run)
            if run.started_at is None:
                return run
        hold = _Hold(self._s.parts, lease)
        entries = None
        while True:
            entries = self._journal(run) if entries is None else entries
            moves = self._moves(run, entries)
            move = best(moves)
            if move.kind == "finish":
                return self._finish(run, move.state or "failed", move)
            if move.step is None or move.kind in ("ask", "wait", "approve"):
                return self._wait(run, move, due(moves, self._s.parts.clock.now()))
            run = self._take_over(run, lease, move)
            if not hold.lasts(move.step.timeout_ms / 1_000):
                return run
            entries = self._performer.make(run, move.step, move, entries)

    def _begin(self, run: Run) -> Run:
        """Plan again: only exactly what was approved is started, and the approval is spent."""
        if self._s.parts.clock.now() > run.expires_at:
            return self._finish(run, "expired", Move("finish", error="expired"))
        try:
            plan = self._replanned(run)
        except (AuditUnavailable, Unavailable):
            return run  # the world can't be read now: the next tick tries again
        except SecopsError as error:
            return self._finish(run, "failed", Move("finish", error=error.code))
        if plan.plan.sha256 != run.plan.sha256:
            return self._ask_again(run, plan)
        try:
            return self._start(run)
        except NotPending:
            return self._finish(run, "expired", Move("finish", error="approval_not_valid"))

    def _replanned(self, run: Run) -> Run:
        read = self._s.parts.transactions.read
        stores = self._s.stores
        incident = read(lambda tx: stores.incidents.get(tx, run.org_id, run.incident_id))
        checked = self._playbooks.content(run.org_id, run.plan.content_hash)
        request = PlanRequest(
            requester_id=run.requester_id,
            incident=incident,
            playbook=checked,
            given=run.plan.given,
            trusted=self._playbooks.is_trusted(run.org_id, checked),
        )
        return replace(run, plan=self._planner.plan(request))

    def _start(self, run: Run) -> Run:
        def work(tx: Transaction) -> Run:
            if run.approval_id is not None:
                self._s.parts.approvals.use(tx, run.approval_id, run.plan.sha256)
            started = replace(run, state="running", started_at=tx.now, due_at=tx.now)
            self._s.stores.runs.change(tx, started, was=run)
            act = Act("playbooks.start_run", RUNNER, f"run:{run.id}")
            note(self._s, tx, run, "开始运行剧本", act)
            return started

        return self._s.parts.transactions.run(work)

    def _ask_again(self, run: Run, planned: Run) -> Run:
        """Void the approval, for the world changed since; the new plan waits for another."""

        def work(tx: Transaction) -> Run:
            expires = tx.now + planned.plan.expires_s * SECOND
            asked = replace(
                planned,
                state="awaiting_approval",
                approval_id=approval_id,
                approver_id=None,
                approvers=(),
                expires_at=expires,
                due_at=expires + 1,
                error="plan_changed",
            )
            self._s.parts.approvals.request(tx, approval_for(asked, tx.now))
            self._s.stores.runs.change(tx, asked, was=run)
            act = Act("playbooks.void_approval", RUNNER, f"run:{run.id}", details=facts_of(asked))
            note(self._s, tx, run, "目标状态已变化,原审批作废,重新申请审批", act)
            return asked

        approval_id = self._s.parts.ids.new("apr")
        return self._s.parts.transactions.run(work)

    def _take_over(self, run: Run, lease: Lease, move: Move) -> Run:
        """Mark the run as this runner's, in the state that ``move`` belongs to."""
        state: RunState = "running"
        if move.takes_back and (run.state != "running" or not move.until):
            state = "compensating"
        if (run.state, run.fence) == (state, lease.fence):
            return run
        now = self._s.parts.clock.now()
        taken = replace(run, state=state, fence=lease.fence, due_at=now)
        self._s.parts.transactions.run(lambda tx: self._s.stores.runs.change(tx, taken, was=run))
        return taken

    def _wait(self, run: Run, move: Move, until: int | None) -> Run:
        waiting = replace(
            run, state="waiting", error="" if move.kind == "wait" else move.kind, due_at=until
        )

        def work(tx: Transaction) -> Run:
            self._s.stores.runs.change(tx, waiting, was=run)
            if move.kind != "wait" and move.step is not None:
                text = f"等待人工处理步骤:{move.step.name}"
                act = Act("playbooks.ask_person", RUNNER, f"run:{run.id}")
                note(self._s, tx, run, text, act)
            return waiting

        if (run.state, run.error, run.due_at) == (waiting.state, waiting.error, until):
            return run  # asked before
        return self._s.parts.transactions.run(work)

    def _finish(self, run: Run, state: RunState, move: Move) -> Run:
        outcome: Outcome = "done" if state in ("done", "compensated") else "failed"
        alarm = move.error == "compensation_failed"

        def work(tx: Transaction) -> Run:
            ended = replace(
                run,
                state=state,
                finished_at=run.finished_at or tx.now,
                error=move.error or (run.error if state in ("cancelled", "compensated") else ""),
                due_at=move.until or None,
            )
            self._s.stores.runs.change(tx, ended, was=run)
            details = {**facts_of(run), "state": state, "error": ended.error}
            act = Act("playbooks.finish_run", RUNNER, f"run:{run.id}", outcome, details)
            note(self._s, tx, run, f"剧本运行结束:{state} {ended.error}".strip(), act)
            if alarm:
                self._s.stores.runs.notify(tx, _alarm(run, notification_id, tx.now))
            return ended

        notification_id = self._s.parts.ids.new("ntf")
        return self._s.parts.transactions.run(work)

    def _read(self, run_id: str) -> Run:
        return self._s.parts.transactions.read(lambda tx: self._s.stores.runs.get(tx, None, run_id))

    def _journal(self, run: Run) -> Sequence[JournalEntry]:
        return self._s.parts.transactions.read(lambda tx: self._s.stores.runs.journal(tx, run.id))


class _Hold:
    """A runner's lease, prolonged when what is left of it is too short for the next step."""

    def __init__(self, parts: Parts, lease: Lease) -> None:
        self._parts = parts
        self._lease = lease
        self._until = 0.0

    def lasts(self, seconds: float) -> bool:
        """Hold on for a step of ``seconds`` and half a lease more; False if it was lost."""
        now = self._parts.clock.monotonic()
        if self._until >= now + seconds + LEASE_SECONDS / 2:
            return True
        self._until = now + seconds + LEASE_SECONDS
        return self._parts.leases.renew(self._lease, seconds + LEASE_SECONDS) is not None


def _alarm(run: Run, notification_id: str, now: int) -> Notification:
    """Return the message that containment could not be taken back: a person must."""
    text = f"剧本运行 {run.id} 的补偿步骤失败,请人工核实并恢复。"
    return inbox_message(
        notification_id,
        (run.org_id, run.incident_id),
        ("处置补偿失败,需人工处理", text),
        key=f"{run.id}:compensation_failed",
        at=now,
    )
