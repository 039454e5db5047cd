"""What persons do to single steps of a run: allow a late one, let containment last; replays."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.execution import BOUND, bound_step, freed_accounts, next_moves
from playbooks.core.moves import Move, Moves, due, new_entry, with_left
from playbooks.core.record import Difference, replay_run
from playbooks.errors import PlanChanged, RunStateRefused
from playbooks.models import FINAL_STATES, JournalEntry, Run
from playbooks.models.runs import UNDO, OutcomeState
from playbooks.service.refusals import refusals_recorded
from playbooks.service.runs.binding import Binder, wanted_of
from playbooks.service.runs.runs import MAX_REASON, refuse_contained
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import Invalid
from secops.kernel.permissions import Permission
from secops.kernel.permissions.playbooks import RUN_APPROVE, RUN_READ, RUN_RESOLVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_PROLONGED_S: Final = 365 * 24 * 3_600


@dataclass(frozen=True, slots=True)
class StepDecision:
    """Allow (or refuse) step ``path`` in turn ``loop`` exactly as its hash says."""

    path: str
    sha256: str
    grant: bool
    loop: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunReplay:
    """How many lines of a run's record were replayed, and which don't follow."""

    run: Run
    lines: int
    differences: tuple[Difference, ...]


class StepService:
    """Late approvals, prolonged containment, replays."""

    def __init__(self, surroundings: Surroundings, binder: Binder) -> None:
        self._s = surroundings
        self._binder = binder

    def approve_step(self, actor: Actor, run_id: str, decision: StepDecision) -> Run:
        """Approve what a late step would do now; raise ``PlanChanged`` if that changed.

        The targets are looked up again: where they are no longer those that were shown, the
        approval is void and the step waits for another. Nobody decides about a run that holds an
        account of their own, nor allows a step that frees one (``SelfApproval``).
        """
        run, entries = self._s.parts.transactions.read(lambda tx: self._loaded(tx, actor, run_id))
        self._s.parts.access.require(actor, _wanted(run, decision.path), f"run:{run_id}")
        move, asked = _waiting(run, entries, decision, self._s.parts.clock.now())
        if not hmac.compare_digest(str(asked.details["sha256"]), decision.sha256):
            msg = "the hash is not that of the step as it waits"
            raise PlanChanged(msg)
        again = replace(move, attempt=asked.attempt + 1)
        step = next(step for step in run.plan.steps if step.path == decision.path)
        bound = self._binder.bind(run, step, again, entries[: asked.seq - 1])
        changed = bound.entry.details.get("sha256") != decision.sha256
        state: OutcomeState = "done" if decision.grant else "failed"

        def work(tx: Transaction) -> Run:
            approvals = self._s.parts.approvals
            refuse_contained(self._s, tx, actor, run)
            if decision.grant:
                known = replace(run.plan, steps=(bound_step(step, (asked,)),))
                approvals.require_another(tx, actor, freed_accounts(known))
            resumed = replace(run, state="running", error="", due_at=tx.now)
            self._s.stores.runs.change(tx, resumed, was=run)
            entry = replace(bound.entry, seq=len(entries) + 1)
            if not changed:
                why = decision.reason[:MAX_REASON]
                name = str(asked.details["approval_id"])
                approvals.decide(tx, name, actor, grant=decision.grant, reason=why)
                if decision.grant:
                    approvals.use(tx, name, decision.sha256)
                told = {"decided_by": actor.id}
                entry = replace(entry, state=state, deadline=0, details=told)
            elif bound.approval is not None:
                approvals.request(tx, bound.approval)
            self._s.stores.runs.append(tx, entry, fence=run.fence)
            deed = "approve_step" if decision.grant else "reject_step"
            deed = "void_step_approval" if changed else deed
            self._tell(tx, actor, run, f"playbooks.{deed}", decision.path)
            return resumed

        target = f"run:{run_id[:60]}"
        with refusals_recorded(self._s.parts, "playbooks.approve_step", actor, target):
            resumed = self._s.parts.transactions.run(work)
        if changed:
            msg = "the step's targets changed; it waits for another approval"
            raise PlanChanged(msg)
        return resumed

    def prolong_containment(self, actor: Actor, run_id: str, path: str, *, seconds: int) -> Run:
        """Let what step ``path`` took away stay so for ``seconds`` from now, in every turn.

        It can only last longer: to give back sooner is granting, which one person alone
        doesn't decide (``RunStateRefused``).
        """
        self._s.parts.access.require(actor, RUN_RESOLVE, f"run:{run_id}")
        if not 1 <= seconds <= MAX_PROLONGED_S:
            msg = f"1 to {MAX_PROLONGED_S} seconds"
            raise Invalid(msg)

        def work(tx: Transaction) -> Run:
            run, entries = self._loaded(tx, actor, run_id)
            lasting = [
                (move.step, move)
                for move in _moves(run, entries, tx.now)
                if move.kind == "wait" and move.step and move.step.path == path + UNDO
            ]
            if not lasting:
                msg = "nothing that this step took away is about to expire"
                raise RunStateRefused(msg)
            if tx.now + seconds * SECOND < max(move.until for _, move in lasting):
                msg = "it lasts longer already; stop the run to give it back"
                raise RunStateRefused(msg)
            journal = list(entries)
            for undo, move in lasting:
                entry = replace(
                    new_entry(run, undo, move, seq=len(journal) + 1, now=tx.now),
                    index=BOUND,
                    attempt=1,
                    kind="prolong",
                    deadline=tx.now + seconds * SECOND,
                )
                self._s.stores.runs.append(tx, entry, fence=run.fence)
                journal.append(entry)
            later = replace(run, due_at=due(_moves(run, journal, tx.now), tx.now))
            self._s.stores.runs.change(tx, later, was=run)
            self._tell(tx, actor, run, "playbooks.prolong_containment", path)
            return later

        return self._s.parts.transactions.run(work)

    def replay_run(self, actor: Actor, run_id: str) -> RunReplay:
        """Decide a finished run again from its record and name what comes out otherwise."""
        self._s.parts.access.require(actor, RUN_READ, f"run:{run_id}")
        run, entries = self._s.parts.transactions.read(lambda tx: self._loaded(tx, actor, run_id))
        if run.state not in FINAL_STATES:
            msg = f"the run is {run.state}: only a finished one is replayed"
            raise RunStateRefused(msg)
        return RunReplay(run, len(entries), replay_run(run, entries))

    def _loaded(
        self, tx: Transaction, actor: Actor, run_id: str
    ) -> tuple[Run, Sequence[JournalEntry]]:
        run = self._s.stores.runs.get(tx, actor.org_id, run_id)
        return run, self._s.stores.runs.journal(tx, run_id)

    def _tell(self, tx: Transaction, actor: Actor, run: Run, deed: str, path: str) -> None:
        place = (run.org_id, run.incident_id)
        text = {"playbooks.prolong_containment": "延长处置有效期"}.get(deed, "审批步骤")
        self._s.tell(tx, actor, place, "step", text, run_id=run.id, step=path)
        tx.record(Act(deed, actor, f"run:{run.id}", details={"step": path}))


def _moves(run: Run, entries: Sequence[JournalEntry], now: int) -> Moves:
    return with_left(next_moves(run.plan, entries, started_at=run.started_at or 0, now=now))


def _wanted(run: Run, path: str) -> Permission:
    """Return who may allow step ``path``; of none that there is, who allows runs."""
    steps = (step for step in run.plan.steps if step.path == path)
    return next(map(wanted_of, steps), RUN_APPROVE)


def _waiting(
    run: Run, entries: Sequence[JournalEntry], decision: StepDecision, now: int
) -> tuple[Move, JournalEntry]:
    """Return the move that waits for this approval, and the entry that asked for it."""
    place = (decision.path, decision.loop, BOUND)
    if run.state == "waiting":
        for move in next_moves(run.plan, entries, started_at=run.started_at or 0, now=now):
            here = (move.step.path, move.loop, move.index) if move.step else None
            if move.kind == "approve" and here == place:
                return move, [e for e in entries if e.place == place][-1]
    msg = "the run does not wait for an approval of this step"
    raise RunStateRefused(msg)
