"""The runner: works through approved runs, and goes on after any crash.

Each step: the intent is durable, then the call, then the outcome is durable. What to do
next is decided from the journal alone (``core/execution``), so a killed runner's successor
comes to the same decision. A lease per run, and its fence in every write, keep two runners
apart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from playbooks.core.execution import Move, next_move
from playbooks.core.plan import idempotency_key
from playbooks.errors import ChangedMeanwhile, EffectUnknown
from playbooks.models import FINAL_STATES, JournalEntry, PlannedStep, Run
from playbooks.models.runs import OutcomeState, RunState
from playbooks.ports import Order
from playbooks.service.actions import Action, Call
from playbooks.service.planning import Planner, PlanRequest
from playbooks.service.playbooks import PlaybookService
from playbooks.service.runs import approval_for, facts_of
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.approvals import NotPending
from secops.kernel.clock import SECOND
from secops.kernel.errors import AuditUnavailable, SecopsError, Unavailable
from secops.kernel.leases import Lease
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

RUNNER: Final = system_actor("playbooks-runner")
LEASE_SECONDS: Final = 30.0
BATCH: Final = 50
_MS: Final = SECOND // 1_000


@dataclass(frozen=True, slots=True)
class _Result:
    """How one call came out."""

    state: OutcomeState
    details: Mapping[str, str | int]


class Runner:
    """Advances runs. ``owner`` names this process in leases."""

    def __init__(
        self,
        surroundings: Surroundings,
        planner: Planner,
        playbooks: PlaybookService,
        actions: Mapping[str, Action],
        owner: str,
    ) -> None:
        self._s = surroundings
        self._planner = planner
        self._playbooks = playbooks
        self._actions = actions
        self._owner = owner

    def advance_all(self) -> bool:
        """Advance the unfinished runs once; False, for what is left waits for its time."""
        waiting = self._s.parts.transactions.read(
            lambda tx: self._s.stores.runs.unfinished(tx, BATCH)
        )
        for run_id in waiting:
            with contextlib.suppress(SecopsError):  # tried again at the next tick
                self.advance(run_id)
        return False

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
        if run.state != "waiting" or run.started_at is None:
            return run.state not in FINAL_STATES
        move = next_move(run.plan, self._journal(run), started_at=run.started_at, now=now)
        return move.kind not in ("ask", "wait")

    def _work(self, run: Run, lease: Lease) -> Run:
        if not self._has_work(run):
            return run  # somebody was quicker
        if run.started_at is None:
            run = self._begin(run)
            if run.started_at is None:
                return run
        run = self._take_over(run, lease)
        while True:
            entries = self._journal(run)
            now = self._s.parts.clock.now()
            move = next_move(run.plan, entries, started_at=int(run.started_at or 0), now=now)
            if move.kind == "finish":
                return self._finish(run, move.state or "failed", "")
            if move.step is None or move.kind in ("ask", "wait"):
                return self._wait(run, move)
            seconds = LEASE_SECONDS + move.step.timeout_ms / 1_000
            if self._s.parts.leases.renew(lease, seconds) is None:
                return run
            self._make(run, move.step, move, entries)

    def _begin(self, run: Run) -> Run:
        """Plan again: only exactly what was approved is started, and the approval is spent."""
        if self._s.parts.clock.now() > run.expires_at:
            return self._finish(run, "expired", "expired")
        try:
            plan = self._replanned(run)
        except (AuditUnavailable, Unavailable):
            return run  # the world can't be read now: the next tick tries again
        except SecopsError as error:
            return self._finish(run, "failed", error.code)
        if plan.plan.sha256 != run.plan.sha256:
            return self._ask_again(run, plan)
        try:
            return self._start(run)
        except NotPending:
            return self._finish(run, "expired", "approval_not_valid")

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
            started = replace(run, state="running", started_at=tx.now)
            self._s.stores.runs.change(tx, started, was=run)
            self._note(tx, run, "开始运行剧本", Act("playbooks.start_run", RUNNER, f"run:{run.id}"))
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
                expires_at=expires,
                error="plan_changed",
            )
            self._s.parts.approvals.request(tx, approval_for(asked, tx.now))
            self._s.stores.runs.change(tx, asked, was=run)
            act = Act("playbooks.void_approval", RUNNER, f"run:{run.id}", details=facts_of(asked))
            self._note(tx, run, "目标状态已变化,原审批作废,重新申请审批", act)
            return asked

        approval_id = self._s.parts.ids.new("apr")
        return self._s.parts.transactions.run(work)

    def _take_over(self, run: Run, lease: Lease) -> Run:
        if (run.state, run.fence) == ("running", lease.fence):
            return run
        taken = replace(run, state="running", fence=lease.fence)
        self._s.parts.transactions.run(lambda tx: self._s.stores.runs.change(tx, taken, was=run))
        return taken

    def _wait(self, run: Run, move: Move) -> Run:
        waiting = replace(run, state="waiting", error="" if move.kind == "wait" else "ask")

        def work(tx: Transaction) -> Run:
            self._s.stores.runs.change(tx, waiting, was=run)
            if move.kind == "ask" and move.step is not None:
                text = f"等待人工处理步骤:{move.step.name}"
                act = Act("playbooks.ask_person", RUNNER, f"run:{run.id}")
                self._note(tx, run, text, act)
            return waiting

        return self._s.parts.transactions.run(work)

    def _finish(self, run: Run, state: RunState, error: str) -> Run:
        outcome: Outcome = "done" if state == "done" else "failed"

        def work(tx: Transaction) -> Run:
            ended = replace(run, state=state, finished_at=tx.now, error=error)
            self._s.stores.runs.change(tx, ended, was=run)
            details = {**facts_of(run), "state": state, "error": error}
            act = Act("playbooks.finish_run", RUNNER, f"run:{run.id}", outcome, details)
            self._note(tx, run, f"剧本运行结束:{state} {error}".strip(), act)
            return ended

        return self._s.parts.transactions.run(work)

    def _make(
        self, run: Run, step: PlannedStep, move: Move, entries: Sequence[JournalEntry]
    ) -> None:
        """Make one move; each way ends with a durable outcome, or a manual step's intent."""
        if move.kind == "perform":
            intent = self._intend(run, step, move, len(entries) + 1)
            if step.kind == "manual":
                return
            self._conclude(run, intent, self._call(run, step, intent))
            return
        intent = [e for e in entries if (e.path, e.index) == (step.path, move.index)][-1]
        if move.kind == "expire":
            self._conclude(run, intent, _Result("failed", {"error": "timeout"}), len(entries))
            return
        self._conclude(run, intent, self._recover(run, step, intent), len(entries))

    def _intend(self, run: Run, step: PlannedStep, move: Move, seq: int) -> JournalEntry:
        target = step.targets[move.index].target
        now = self._s.parts.clock.now()
        entry = JournalEntry(
            run_id=run.id,
            seq=seq,
            org_id=run.org_id,
            at=now,
            path=step.path,
            index=move.index,
            target=target,
            key=idempotency_key(run.id, step.path, move.index, target),
            attempt=move.attempt,
            kind="intent",
            deadline=now + step.timeout_ms * _MS if step.timeout_ms else 0,
        )
        self._write(run, entry, "intent")
        return entry

    def _call(self, run: Run, step: PlannedStep, intent: JournalEntry) -> _Result:
        action = self._actions[step.action]
        began = self._s.parts.clock.monotonic()
        try:
            performed = action.perform(self._call_of(run, step, intent))
        except EffectUnknown as error:
            return _Result("unknown", {"error": error.code})
        except SecopsError as error:
            return _Result("failed", {"error": error.code})
        except Exception as error:  # noqa: BLE001 - a fault in one adapter stops no other run
            return _Result("unknown", {"error": type(error).__name__})
        took = round((self._s.parts.clock.monotonic() - began) * 1_000)
        details = {**performed.details, "milliseconds": took}
        if step.verify and not performed.verified:
            return _Result("failed", {**details, "error": "not_verified"})
        if took > step.timeout_ms:
            return _Result("failed", {**details, "error": "timeout"})
        return _Result("done", details)

    def _recover(self, run: Run, step: PlannedStep, intent: JournalEntry) -> _Result:
        """Repeat, read back, or say that nobody knows what became of the intent."""
        action = self._actions[step.action]
        recovery = action.recovery(step)
        if recovery == "neither":
            return _Result("unknown", {"error": "outcome_lost"})
        if recovery == "readable":
            try:
                there = action.holds(self._call_of(run, step, intent))
            except SecopsError as error:
                return _Result("unknown", {"error": error.code})
            if there:
                return _Result("done", {"recovered": "read_back"})
        result = self._call(run, step, intent)
        return replace(result, details={**result.details, "recovered": "repeated"})

    def _call_of(self, run: Run, step: PlannedStep, intent: JournalEntry) -> Call:
        order = Order(
            org_id=run.org_id,
            run_id=run.id,
            incident_id=run.incident_id,
            key=intent.key,
            requester_id=run.requester_id,
            approver_id=run.approver_id or "",
            reason=f"{run.incident_id} {step.name}"[:200],
            timeout_ms=step.timeout_ms,
        )
        return Call(step, step.targets[intent.index], order)

    def _conclude(
        self, run: Run, intent: JournalEntry, result: _Result, written: int | None = None
    ) -> None:
        seq = (intent.seq if written is None else written) + 1
        entry = replace(
            intent,
            seq=seq,
            at=self._s.parts.clock.now(),
            kind="outcome",
            state=result.state,
            deadline=0,
            details=result.details,
        )
        self._write(run, entry, result.state)

    def _write(self, run: Run, entry: JournalEntry, outcome: Outcome) -> None:
        details: dict[str, Any] = {
            "run_id": run.id,
            "step": entry.path,
            "index": entry.index,
            "attempt": entry.attempt,
            "key": entry.key,
            "plan_sha256": run.plan.sha256,
            "requester_id": run.requester_id,
            "approver_id": run.approver_id,
            **entry.details,
        }

        def work(tx: Transaction) -> None:
            self._s.stores.runs.append(tx, entry, fence=run.fence)
            act = Act("playbooks.perform_step", RUNNER, entry.target, outcome, details)
            if entry.kind == "intent":
                tx.record(act)
            else:
                self._note(tx, run, f"{_name(run, entry)}:{outcome}", act)

        self._s.parts.transactions.run(work)

    def _note(self, tx: Transaction, run: Run, text: str, act: Act) -> None:
        actor: Actor = act.actor
        self._s.tell(tx, actor, (run.org_id, run.incident_id), "run", text, run_id=run.id)
        tx.record(act)

    def _read(self, run_id: str) -> Run:
        return self._s.parts.transactions.read(lambda tx: self._s.stores.runs.get(tx, None, run_id))

    def _journal(self, run: Run) -> Sequence[JournalEntry]:
        return self._s.parts.transactions.read(lambda tx: self._s.stores.runs.journal(tx, run.id))


def _name(run: Run, entry: JournalEntry) -> str:
    return next((s.name for s in run.plan.steps if s.path == entry.path), entry.path)
