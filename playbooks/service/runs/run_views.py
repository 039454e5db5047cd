"""Runs joined with their journals, for pages and reports."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from playbooks.core.execution import BOUND, bound_step, next_moves
from playbooks.core.moves import Move, with_left
from playbooks.core.stepping import step_states
from playbooks.models import FINAL_STATES, JournalEntry, PlannedStep, Run
from playbooks.models.runs import UNDO
from playbooks.models.views import RunView, Waiting
from playbooks.service.surroundings import Surroundings
from secops.kernel.canonical import canonical
from secops.kernel.transactions import Transaction


class RunViews:
    """Joins runs with what was done."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def of(self, tx: Transaction, run: Run) -> RunView:
        """Return the view of ``run``."""
        journal = tuple(self._s.stores.runs.journal(tx, run.id))
        form = canonical([asdict(entry) for entry in journal])
        return RunView(
            run,
            journal,
            step_states(run.plan, journal),
            hashlib.sha256(form).hexdigest(),
            tuple(_waiting(run, journal, tx.now)),
        )


def _waiting(run: Run, journal: Sequence[JournalEntry], now: int) -> Iterator[Waiting]:
    """Yield what a person may do: answer, allow, or let containment last longer."""
    if run.started_at is None or (run.state in FINAL_STATES and run.due_at is None):
        return
    moves = next_moves(run.plan, journal, started_at=run.started_at, now=now)
    for move in with_left(moves):
        step = move.step
        if step is None:
            continue
        if move.kind == "wait" and step.path.endswith(UNDO):
            path = step.path.removesuffix(UNDO)
            name = next(one.name for one in run.plan.steps if one.path == path)
            yield Waiting("containment", path, name, move.loop, until=move.until)
        elif move.kind == "ask":
            yield _answer(step, move, journal)
        elif move.kind == "approve":
            yield _approval(step, move, journal)


def _answer(step: PlannedStep, move: Move, journal: Sequence[JournalEntry]) -> Waiting:
    if step.kind != "manual":
        return Waiting("unknown", step.path, step.name, move.loop)
    bound = [entry for entry in journal if entry.place == (step.path, move.loop, BOUND)]
    args = bound_step(step, bound).args if bound else step.args
    text, until = args["instructions"], max(move.until - 1, 0)
    return Waiting("manual", step.path, step.name, move.loop, until, text, step.asks)


def _approval(step: PlannedStep, move: Move, journal: Sequence[JournalEntry]) -> Waiting:
    bound = [entry for entry in journal if entry.place == (step.path, move.loop, BOUND)]
    known = bound_step(step, bound)
    return Waiting(
        "approval",
        step.path,
        step.name,
        move.loop,
        until=bound[-1].deadline,
        args=known.args,
        targets=known.targets,
        sha256=str(bound[-1].details["sha256"]),
    )
