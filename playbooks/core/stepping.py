"""One call of one step on one target: what its last journal entry asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from playbooks.core.moves import Move, MoveKind, Moves
from playbooks.models import JournalEntry, Plan, PlannedStep
from secops.kernel.clock import MILLISECOND

MAX_BACKOFF_MS: Final = 3_600_000

Verdict = Literal["done", "failed"]
Journal = Mapping[tuple[str, str], Mapping[int, Sequence[JournalEntry]]]
"""Entries by (path, loop) and then by the target's index."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A step or a branch is over, since ``at``."""

    verdict: Verdict
    at: int


def by_place(entries: Sequence[JournalEntry]) -> Journal:
    """Group journal ``entries`` (in order) by step, loop and target."""
    grouped: dict[tuple[str, str], dict[int, list[JournalEntry]]] = {}
    for entry in entries:
        place = grouped.setdefault((entry.path, entry.loop), {})
        place.setdefault(entry.index, []).append(entry)
    return grouped


def retry_or_fail(step: PlannedStep, last: JournalEntry, *, now: int) -> Ended | Moves:
    """Return how ``last`` ended the call, or the one move that goes on with it."""
    if last.kind == "intent":
        return [
            _move(
                _without_outcome(step, last, now),
                step,
                last,
                until=last.deadline + 1 if last.deadline else 0,
            )
        ]
    if last.state == "unknown":
        return [_move("ask", step, last)]
    if last.state == "done":
        return Ended("done", last.at)
    if last.attempt > step.retry_max:
        return Ended("failed", last.at)
    begin = last.at + backoff_ms(step, last.attempt) * MILLISECOND
    if now < begin:
        return [_move("wait", step, last, until=begin)]
    return [Move("perform", step, last.index, last.attempt + 1, loop=last.loop)]


def backoff_ms(step: PlannedStep, attempt: int) -> int:
    """Return the pause after failed ``attempt``: it doubles each time, up to an hour."""
    return int(min(step.backoff_ms * 2 ** (attempt - 1), MAX_BACKOFF_MS))


def _move(kind: MoveKind, step: PlannedStep, last: JournalEntry, until: int = 0) -> Move:
    return Move(kind, step, last.index, last.attempt, loop=last.loop, until=until)


def _without_outcome(step: PlannedStep, intent: JournalEntry, now: int) -> MoveKind:
    if step.kind != "manual":
        return "recover"
    return "expire" if intent.deadline and now > intent.deadline else "ask"


def step_states(plan: Plan, entries: Sequence[JournalEntry]) -> dict[str, str]:
    """Return each step's state for people: ready, intent, done, failed, unknown, compensated.

    Of a step in a loop the last turn counts; a parallel step is open while a branch is.
    """
    lasts: dict[str, dict[int, JournalEntry]] = {}
    for entry in entries:
        known = lasts.setdefault(entry.path, {})
        if known and next(iter(known.values())).loop != entry.loop:
            known.clear()
        known[entry.index] = entry
    states = {step.path: _state(step, lasts.get(step.path, {})) for step in plan.steps}
    for step in plan.steps:
        if step.kind == "parallel":
            states[step.path] = _parallel_state(
                [states[h] for h in step.branches.values() if h in states]
            )
        if step.compensate and states[step.compensate] == "done":
            states[step.path] = "compensated"
    return states


def _state(step: PlannedStep, lasts: Mapping[int, JournalEntry]) -> str:
    found = {entry.state or "intent" for entry in lasts.values() if entry.kind != "prolong"}
    for state in ("unknown", "intent", "failed"):
        if state in found:
            return state
    acted = [index for index in lasts if index >= 0]
    return "done" if found and len(acted) >= len(step.targets) else "ready"


def _parallel_state(heads: Sequence[str]) -> str:
    if all(state == "ready" for state in heads):
        return "ready"
    if "failed" in heads:
        return "failed"
    return "intent" if {"ready", "intent", "unknown"} & set(heads) else "done"
