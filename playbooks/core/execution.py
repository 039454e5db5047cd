"""What a run may do next, decided from its plan and its journal alone.

The journal is replayed from the beginning each time, so whoever restarts comes to the same
decision. Which branch was taken and what a late step was bound to stand in the journal: what
another branch does meanwhile changes no decision that was made. Nothing is done here: the
runner makes a move and writes the journal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from playbooks.core.cacao20.vocabulary import GRANTING_ACTIONS
from playbooks.core.choices import Choice, choose, run_values
from playbooks.core.moves import EndState, Move, MoveKind, Moves, best
from playbooks.core.plan import DONE
from playbooks.core.stepping import Ended, Journal, Verdict, by_place, retry_or_fail
from playbooks.models import JournalEntry, Plan, PlannedStep, TargetState
from playbooks.models.runs import UNDO
from secops.kernel.clock import MILLISECOND, SECOND

BOUND: Final = -1
"""Index of the entry that says what a late step was bound to."""
NOT_VERIFIED: Final = "not_verified"
"""Error of a call whose effect was not found afterwards."""
LEFT: Final = 1
"""Index of the decision that closes a nested playbook."""


def next_moves(plan: Plan, entries: Sequence[JournalEntry], *, started_at: int, now: int) -> Moves:
    """Return every move that may be made now; the last way out is one ``finish``."""
    replay = Replay(plan, entries, now)
    came = replay.sequence(plan.first, "", started_at)
    cancelled = any(entry.kind == "cancel" for entry in entries)
    if not isinstance(came, Ended):
        forward = [move for move in came if not cancelled or _in_flight(move)]
        if forward:
            return [*forward, *replay.expiries()]
    failed = cancelled or not isinstance(came, Ended) or came.verdict == "failed"
    return replay.taking_back(cancelled=cancelled) if failed else replay.ending()


def next_move(plan: Plan, entries: Sequence[JournalEntry], *, started_at: int, now: int) -> Move:
    """Return the move to make now: what can be done before what must be waited for."""
    return best(next_moves(plan, entries, started_at=started_at, now=now))


class Replay:
    """One walk through the plan along the journal."""

    def __init__(self, plan: Plan, entries: Sequence[JournalEntry], now: int) -> None:
        self._plan = plan
        self._entries = entries
        self._now = now
        self._steps = {step.path: step for step in plan.steps}
        self._journal: Journal = by_place(entries)
        self._values: Mapping[str, Mapping[str, str | None]] | None = None

    def sequence(self, path: str, loop: str, since: int) -> Ended | Moves:
        """Follow the steps from ``path``; return how they ended, or what comes next."""
        while path in self._steps:
            step = self._steps[path]
            came = self._step(step, loop, since)
            if not isinstance(came, Ended):
                return came
            path = step.on_success if came.verdict == "done" else step.on_failure
            since = came.at
        return Ended("done" if path == DONE else "failed", since)

    def _step(self, step: PlannedStep, loop: str, since: int) -> Ended | Moves:
        if step.kind == "parallel":
            return self._parallel(step, loop, since)
        if step.kind == "while":
            return self._while(step, loop, since)
        if step.kind in ("if", "switch", "playbook"):
            return self._branching(step, loop, since)
        return self._acting(step, loop, since)

    def _parallel(self, step: PlannedStep, loop: str, since: int) -> Ended | Moves:
        """All branches end; after a failure what has begun goes on, and nothing begins."""
        if (
            wait := self._delayed(step, loop, since, begun=self._has_begun(step, loop))
        ) is not None:
            return [wait]
        came = [self.sequence(head, loop, since) for _, head in sorted(step.branches.items())]
        ended = [one for one in came if isinstance(one, Ended)]
        failed = any(one.verdict == "failed" for one in ended)
        moves = [
            move
            for one in came
            if not isinstance(one, Ended)
            for move in one
            if not (failed and move.fresh)
        ]
        if moves:
            return moves
        last = max((one.at for one in ended), default=since)
        return Ended("failed" if failed else "done", last)

    def _has_begun(self, step: PlannedStep, loop: str) -> bool:
        return any((head, loop) in self._journal for head in step.branches.values())

    def _delayed(self, step: PlannedStep, loop: str, since: int, *, begun: bool) -> Move | None:
        begin = since + step.delay_ms * MILLISECOND
        if begun or self._now >= begin:
            return None
        return Move("wait", step, loop=loop, until=begin, fresh=True)

    def _decision(
        self, step: PlannedStep, place: tuple[str, int], since: int, *, begun: bool = False
    ) -> JournalEntry | Move:
        """Return what was decided at ``place`` = (loop, index), or the move that decides."""
        loop, index = place
        found = self._journal.get((step.path, loop), {}).get(index)
        if found:
            return found[-1]
        if (wait := self._delayed(step, loop, since, begun=begun)) is not None:
            return wait
        known = (self._plan.scopes, self._seen())
        return _decide(step, place, choose(step, place, known, since=since, now=self._now))

    def _branching(self, step: PlannedStep, loop: str, since: int) -> Ended | Moves:
        decided = self._decision(step, (loop, 0), since)
        if isinstance(decided, Move):
            return [decided]
        if decided.state == "failed":
            return Ended("failed", decided.at)
        head = step.branches.get(str(decided.details["choice"]), DONE)
        came = self.sequence(head, loop, decided.at)
        if step.out_args and isinstance(came, Ended) and came.verdict == "done":
            left = self._decision(step, (loop, LEFT), came.at, begun=True)
            return [left] if isinstance(left, Move) else Ended(_verdict(left), left.at)
        return came

    def _while(self, step: PlannedStep, loop: str, since: int) -> Ended | Moves:
        turn, began = 0, since
        while True:
            turn += 1
            inner = f"{loop}.{turn}" if loop else str(turn)
            decided = self._decision(step, (inner, 0), began, begun=turn > 1)
            if isinstance(decided, Move):
                return [decided]
            began = began if turn > 1 else decided.at
            if decided.state == "failed" or decided.details["choice"] != "true":
                return Ended(_verdict(decided), decided.at)
            came = self.sequence(step.branches["true"], inner, decided.at)
            if not isinstance(came, Ended) or came.verdict == "failed":
                return came

    def _acting(self, step: PlannedStep, loop: str, since: int) -> Ended | Moves:
        place = self._journal.get((step.path, loop), {})
        if not place and (wait := self._delayed(step, loop, since, begun=False)) is not None:
            return [wait]
        if step.is_bound_late:
            bound = place.get(BOUND)
            if bound is None:
                return [Move("bind", step, loop=loop, index=BOUND, fresh=True)]
            if bound[-1].state != "done":
                return self._unbound(step, bound[-1])
            step = bound_step(step, bound)
        last = since
        for index in range(len(step.targets)):
            entries = place.get(index, ())
            if not entries:
                return [Move("perform", step, index, 1, loop=loop, fresh=index == 0)]
            came = retry_or_fail(step, entries[-1], now=self._now)
            if not isinstance(came, Ended) or came.verdict == "failed":
                return came
            last = max(last, came.at)
        return Ended("done", last)

    def _unbound(self, step: PlannedStep, entry: JournalEntry) -> Ended | Moves:
        """Return how a late step was refused, or that it waits for its own approval."""
        if entry.state == "failed":
            return Ended("failed", entry.at)
        late = bool(entry.deadline) and self._now > entry.deadline
        kind: MoveKind = "expire" if late else "approve"
        until = entry.deadline + 1 if entry.deadline else 0
        return [Move(kind, step, BOUND, entry.attempt, loop=entry.loop, until=until, fresh=True)]

    def expiries(self) -> Moves:
        """Return the moves that end containment whose time is over, or wait for that."""
        moves: Moves = []
        for step, loop, done_at in self._effects():
            if not step.ttl_s:
                continue
            undo = self._steps[step.compensate]
            begun = self._journal.get((undo.path, loop), {})
            until = self._lasts(undo.path, loop, done_at + step.ttl_s * SECOND)
            if self._now < until and not any(index >= 0 for index in begun):
                moves.append(Move("wait", undo, loop=loop, until=until, takes_back=True))
                continue
            came = self._acting(undo, loop, done_at)
            if not isinstance(came, Ended):
                moves += [_taking_back(move) for move in came]
        return moves

    def _lasts(self, path: str, loop: str, until: int) -> int:
        entries = self._journal.get((path, loop), {}).get(BOUND, ())
        return max((e.deadline for e in entries if e.kind == "prolong"), default=until)

    def ending(self) -> Moves:
        """Return what is left when the workflow has ended well: containment that expires."""
        left = self.expiries()
        busy = [move for move in left if move.kind != "wait"]
        if busy:
            return busy
        until = min((move.until for move in left), default=0)
        stuck = any(self._undone(step, loop) == "failed" for step, loop, _ in self._effects())
        if stuck:
            error = "compensation_failed"
            return [Move("finish", state="failed", error=error, until=until, left=tuple(left))]
        return [Move("finish", state="done", until=until, left=tuple(left))]

    def taking_back(self, *, cancelled: bool) -> Moves:
        """Return what takes back the completed steps, the last completed first, each once.

        One that can't be taken back keeps no other: what was to expire would stay for ever.
        """
        effects, stuck = self._effects(), False
        for step, loop, at in effects:
            came = self._acting(self._steps[step.compensate], loop, at)
            if not isinstance(came, Ended):
                return [_taking_back(move) for move in came]
            stuck = stuck or came.verdict == "failed"
        if stuck:
            return [Move("finish", state="failed", error="compensation_failed")]
        plain: EndState = "cancelled" if cancelled else "failed"
        return [Move("finish", state="compensated" if effects else plain)]

    def _undone(self, step: PlannedStep, loop: str) -> str:
        came = self._acting(self._steps[step.compensate], loop, 0)
        return came.verdict if isinstance(came, Ended) else ""

    def _effects(self) -> list[tuple[PlannedStep, str, int]]:
        """Return what had an effect and can be taken back: the last completed first."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for entry in self._entries:
            step = self._steps.get(entry.path)
            if step is not None and step.compensate and had_effect(entry):
                found[entry.path, entry.loop] = (entry.seq, entry.at)
        ordered = sorted(found.items(), key=lambda item: -item[1][0])
        return [(self._steps[path], loop, at) for (path, loop), (_, at) in ordered]

    def _seen(self) -> Mapping[str, Mapping[str, str | None]]:
        if self._values is None:
            self._values = run_values(self._plan, self._entries)
        return self._values


def had_effect(entry: JournalEntry) -> bool:
    """Tell whether an outcome changed its target, be it too late, or not seen there afterwards.

    What takes back is bound to the call: where there was no effect, it changes nothing.
    """
    doubtful = entry.details.get("late") == "done" or entry.details.get("error") == NOT_VERIFIED
    return entry.kind == "outcome" and entry.index >= 0 and (entry.state == "done" or doubtful)


def contained_accounts(plan: Plan, entries: Sequence[JournalEntry]) -> tuple[str, ...]:
    """Return the ids of accounts from which a run has taken what it can give back."""
    lasting = {step.path for step in plan.steps if step.compensate}
    taken = (entry for entry in entries if entry.path in lasting and had_effect(entry))
    return _account_ids(entry.target for entry in taken)


def freed_accounts(plan: Plan) -> tuple[str, ...]:
    """Return the ids of accounts that ``plan`` frees of what others took from them."""
    frees = [step for step in plan.steps if not step.path.endswith(UNDO)]
    return _account_ids(
        target.target
        for step in frees
        if step.action in GRANTING_ACTIONS
        for target in step.targets
    )


def _account_ids(targets: Iterable[str]) -> tuple[str, ...]:
    found = (target.partition(":") for target in targets)
    return tuple(sorted({name for kind, _, name in found if kind == "account"}))


def _in_flight(move: Move) -> bool:
    """Tell whether a cancelled run still has to learn how this came out."""
    asked = move.kind == "ask" and move.step is not None and move.step.kind != "manual"
    return move.kind == "recover" or asked


def _verdict(entry: JournalEntry) -> Verdict:
    return "failed" if entry.state == "failed" else "done"


def _taking_back(move: Move) -> Move:
    return replace(move, takes_back=True)


def _decide(step: PlannedStep, place: tuple[str, int], choice: Choice) -> Move:
    loop, index = place
    return Move("decide", step, index, 1, loop=loop, fresh=True, choice=choice)


def bound_step(step: PlannedStep, bound: Sequence[JournalEntry]) -> PlannedStep:
    """Return the late ``step`` with the args and targets it was bound to."""
    details = next(entry.details for entry in reversed(bound) if "targets" in entry.details)
    targets = tuple(TargetState(**target) for target in details["targets"])
    return replace(step, args=details["args"], targets=targets)
