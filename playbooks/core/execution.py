"""What a run does next, decided from its plan and its journal alone.

The journal is replayed from the beginning each time, so whoever restarts comes to the
same decision. Nothing is done here: the runner makes the move and writes the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from playbooks.models import JournalEntry, Plan, PlannedStep
from secops.kernel.clock import SECOND

_MS: Final = SECOND // 1_000

MoveKind = Literal["perform", "recover", "expire", "wait", "ask", "finish"]
"""perform: intent, call, outcome · recover: an intent has no outcome · expire: a person's
time is over · wait: until ``until`` · ask: a person decides · finish: in ``state``."""


@dataclass(frozen=True, slots=True)
class Move:
    """The next move; ``step``, ``index`` and ``attempt`` say for what."""

    kind: MoveKind
    step: PlannedStep | None = None
    index: int = 0
    attempt: int = 0
    until: int = 0
    state: Literal["done", "failed", ""] = ""


Journal = Mapping[tuple[str, int], Sequence[JournalEntry]]


def by_target(entries: Sequence[JournalEntry]) -> Journal:
    """Group journal ``entries`` (in order) by step path and target index."""
    grouped: dict[tuple[str, int], list[JournalEntry]] = {}
    for entry in entries:
        grouped.setdefault((entry.path, entry.index), []).append(entry)
    return grouped


def next_move(plan: Plan, entries: Sequence[JournalEntry], *, started_at: int, now: int) -> Move:
    """Return what comes next. The steps form no cycle, so the replay ends."""
    steps = {step.path: step for step in plan.steps}
    journal = by_target(entries)
    path = plan.first
    since = started_at
    while path in steps:
        step = steps[path]
        verdict = _step_move(step, journal, since=since, now=now)
        if isinstance(verdict, Move):
            return verdict
        path = step.on_success if verdict == "done" else step.on_failure
        since = max(
            (journal[path_index][-1].at for path_index in _of(step, journal)), default=since
        )
    return Move("finish", state="done" if path == "end:done" else "failed")


def _of(step: PlannedStep, journal: Journal) -> list[tuple[str, int]]:
    return [key for key in journal if key[0] == step.path]


def _step_move(
    step: PlannedStep, journal: Journal, *, since: int, now: int
) -> Move | Literal["done", "failed"]:
    """Return the move inside ``step``, or how the step came out."""
    for index in range(len(step.targets)):
        entries = journal.get((step.path, index), ())
        if not entries:
            begin = since + step.delay_ms * _MS
            if index == 0 and now < begin:
                return Move("wait", step, until=begin)
            return Move("perform", step, index, attempt=1)
        verdict = _target_move(step, index, entries[-1], now=now)
        if verdict != "done":
            return verdict
    return "done"


def _target_move(
    step: PlannedStep, index: int, last: JournalEntry, *, now: int
) -> Move | Literal["done", "failed"]:
    if last.kind == "intent":
        return Move(_without_outcome(step, last, now), step, index, last.attempt)
    if last.state == "unknown":
        return Move("ask", step, index, last.attempt)
    if last.state == "done":
        return "done"
    return _after_failure(step, index, last, now)


def _without_outcome(step: PlannedStep, intent: JournalEntry, now: int) -> MoveKind:
    if step.kind != "manual":
        return "recover"
    return "expire" if intent.deadline and now > intent.deadline else "ask"


def _after_failure(
    step: PlannedStep, index: int, last: JournalEntry, now: int
) -> Move | Literal["failed"]:
    if last.attempt > step.retry_max:
        return "failed"
    begin = last.at + step.backoff_ms * _MS
    if now < begin:
        return Move("wait", step, index, until=begin)
    return Move("perform", step, index, last.attempt + 1)


def step_states(plan: Plan, entries: Sequence[JournalEntry]) -> dict[str, str]:
    """Return each step's state for people: ready, intent, done, failed or unknown."""
    journal = by_target(entries)
    states: dict[str, str] = {}
    for step in plan.steps:
        lasts = [journal[key][-1] for key in _of(step, journal)]
        found = {last.state or "intent" for last in lasts}
        states[step.path] = next(
            (state for state in ("unknown", "intent", "failed") if state in found),
            "done" if lasts and len(lasts) == len(step.targets) else "ready",
        )
    return states
