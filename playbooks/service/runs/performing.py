"""Makes the moves of a run: each begins and ends with a durable line in its journal.

The intent is durable before the call, the outcome after it. A killed runner's successor finds
the intent and repeats the call, reads the effect back, or says that nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from playbooks.core.choices import assigned
from playbooks.core.execution import BOUND, NOT_VERIFIED
from playbooks.core.moves import Move, new_entry
from playbooks.core.plan import idempotency_key
from playbooks.errors import ChangedMeanwhile, EffectUnknown
from playbooks.models import JournalEntry, PlannedStep, Run
from playbooks.models.runs import UNDO, OutcomeState
from playbooks.ports import Order
from playbooks.service.actions import Action, Call, Performed
from playbooks.service.runs.binding import Binder, Bound
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.clock import MILLISECOND
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

RUNNER: Final = system_actor("playbooks-runner")
_UNTOLD: Final = ("set", "targets", "args")
"""Details that stay in the journal: values of variables are nobody's business elsewhere."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one call came out."""

    state: OutcomeState
    details: Mapping[str, Any] = field(default_factory=dict)


class Performer:
    """Makes one move after the other."""

    def __init__(
        self, surroundings: Surroundings, actions: Mapping[str, Action], binder: Binder
    ) -> None:
        self._s = surroundings
        self._actions = actions
        self._binder = binder

    def make(
        self, run: Run, step: PlannedStep, move: Move, entries: Sequence[JournalEntry]
    ) -> Sequence[JournalEntry] | None:
        """Make one move; each way ends with a durable entry.

        Returns the journal as it is now, or None where it must be read: it lasts only until the
        next append, which is refused if somebody else wrote meanwhile.
        """
        if move.kind == "perform":
            intent = self._intend(run, step, move, len(entries) + 1)
            if step.kind == "manual":
                return [*entries, intent]
            return self._conclude(run, intent, self._call(run, step, intent))
        if move.kind == "decide":
            state: OutcomeState = "failed" if move.choice.error else "done"
            result = Result(state, move.choice.details)
            return [*entries, self._decide(run, step, move, len(entries) + 1, result)]
        if move.kind == "bind":
            bound = self._binder.bind(run, step, move, entries)
            self._s.parts.transactions.run(lambda tx: self._bind(tx, run, bound, len(entries) + 1))
            return None
        if move.kind == "expire" and move.index == BOUND:
            late = Result("failed", {"error": "not_approved"})
            return [*entries, self._decide(run, step, move, len(entries) + 1, late)]
        intent = [e for e in entries if e.place == (step.path, move.loop, move.index)][-1]
        result = Result("failed", {"error": "timeout"})
        if move.kind == "recover":
            result = self._recover(run, step, intent)
        return self._conclude(run, intent, result)

    def _intend(self, run: Run, step: PlannedStep, move: Move, seq: int) -> JournalEntry:
        now = self._s.parts.clock.now()
        entry = replace(
            new_entry(run, step, move, seq=seq, now=now),
            kind="intent",
            deadline=now + step.timeout_ms * MILLISECOND if step.timeout_ms else 0,
        )
        self._s.parts.transactions.run(lambda tx: self._append(tx, run, entry, "intent"))
        return entry

    def _decide(
        self, run: Run, step: PlannedStep, move: Move, seq: int, result: Result
    ) -> JournalEntry:
        now = self._s.parts.clock.now()
        entry = replace(
            new_entry(run, step, move, seq=seq, now=now), state=result.state, details=result.details
        )
        outcome: Outcome = "done" if result.state == "done" else "failed"
        self._s.parts.transactions.run(lambda tx: self._append(tx, run, entry, outcome))
        return entry

    def _bind(self, tx: Transaction, run: Run, bound: Bound, seq: int) -> None:
        entry = replace(bound.entry, seq=seq)
        if bound.approval is not None:
            self._s.parts.approvals.request(tx, bound.approval)
        self._append(tx, run, entry, "failed" if entry.state == "failed" else "done")

    def _call(self, run: Run, step: PlannedStep, intent: JournalEntry) -> Result:
        action = self._actions[step.action]
        began = self._s.parts.clock.monotonic()
        try:
            performed = action.perform(self._call_of(run, step, intent))
        except EffectUnknown as error:
            return Result("unknown", {"error": error.code})
        except SecopsError as error:
            return Result("failed", {"error": error.code})
        except Exception as error:  # noqa: BLE001 - a fault in one adapter stops no other run
            return Result("unknown", {"error": type(error).__name__})
        took = round((self._s.parts.clock.monotonic() - began) * 1_000)
        details = {**performed.details, "milliseconds": took}
        if step.verify and not performed.verified:
            return Result("failed", {**details, "error": NOT_VERIFIED})
        if took > step.timeout_ms:
            return Result("failed", {**details, "error": "timeout", "late": "done"})
        return _with_outputs(step, performed, details)

    def _recover(self, run: Run, step: PlannedStep, intent: JournalEntry) -> Result:
        """Repeat, read back, or say that nobody knows what became of the intent.

        After the deadline nothing is repeated: what is found there is written down, and the
        step has failed all the same.
        """
        action = self._actions[step.action]
        recovery = action.recovery(step)
        if recovery == "neither":
            return Result("unknown", {"error": "outcome_lost"})
        late = bool(intent.deadline) and self._s.parts.clock.now() > intent.deadline
        if recovery == "readable" or late:
            try:
                there = action.holds(self._call_of(run, step, intent))
            except SecopsError as error:
                return Result("unknown", {"error": error.code})
            if late:
                return Result("failed", {"error": "timeout", "late": "done" if there else "absent"})
            if there:
                return _with_outputs(step, Performed(verified=True), {"recovered": "read_back"})
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
            undoes=_undone_by(run, intent),
        )
        return Call(step, step.targets[intent.index], order)

    def _conclude(self, run: Run, intent: JournalEntry, result: Result) -> Sequence[JournalEntry]:
        """Write the outcome of ``intent``, once, whatever else was written meanwhile."""

        def work(tx: Transaction) -> Sequence[JournalEntry]:
            entries = self._s.stores.runs.journal(tx, run.id)
            mine = [entry for entry in entries if entry.place == intent.place]
            if not mine or mine[-1].seq != intent.seq:
                msg = f"{run.id} went on meanwhile"
                raise ChangedMeanwhile(msg)
            entry = replace(
                intent,
                seq=len(entries) + 1,
                at=self._s.parts.clock.now(),
                kind="outcome",
                state=result.state,
                deadline=0,
                details=result.details,
            )
            self._append(tx, run, entry, result.state)
            return [*entries, entry]

        return self._s.parts.transactions.run(work)

    def _append(self, tx: Transaction, run: Run, entry: JournalEntry, outcome: Outcome) -> None:
        told = {key: value for key, value in entry.details.items() if key not in _UNTOLD}
        details: dict[str, Any] = {
            "run_id": run.id,
            "step": entry.path,
            "loop": entry.loop,
            "index": entry.index,
            "attempt": entry.attempt,
            "key": entry.key,
            "plan_sha256": run.plan.sha256,
            "requester_id": run.requester_id,
            "approver_id": run.approver_id,
            **told,
        }
        self._s.stores.runs.append(tx, entry, fence=run.fence)
        deed = "playbooks.decide_step" if entry.kind == "decision" else "playbooks.perform_step"
        act = Act(deed, RUNNER, entry.target, outcome, details)
        if entry.kind == "intent":
            tx.record(act)
        else:
            note(self._s, tx, run, f"{_name(run, entry)}:{outcome}", act)


def _undone_by(run: Run, intent: JournalEntry) -> str:
    """Return the key of the call that a compensating one takes back, "" for any other."""
    if not intent.path.endswith(UNDO):
        return ""
    return idempotency_key(run.id, intent.path.removesuffix(UNDO), intent.loop, intent.target)


def note(s: Surroundings, tx: Transaction, run: Run, text: str, act: Act) -> None:
    """Record ``act`` and add a line to the incident's timeline."""
    actor: Actor = act.actor
    s.tell(tx, actor, (run.org_id, run.incident_id), "run", text, run_id=run.id)
    tx.record(act)


def _with_outputs(step: PlannedStep, performed: Performed, details: Mapping[str, Any]) -> Result:
    """Set the step's out_args with its outcome; what it doesn't give is a failure."""
    given = {**performed.details, **performed.outputs}
    taken = {name: given.get(name.strip("_")) for name in step.out_args}
    if any(value is None for value in taken.values()):
        return Result("failed", {**details, "error": "output_missing", "late": "done"})
    return Result("done", {**details, **assigned(step, {k: str(v) for k, v in taken.items()})})


def _name(run: Run, entry: JournalEntry) -> str:
    return next((s.name for s in run.plan.steps if s.path == entry.path), entry.path)
