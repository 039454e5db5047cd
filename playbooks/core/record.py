"""Replays a finished run from its record, to see that all decisions follow from it.

At every line of the journal the moves are computed from the lines before it; what the runner
began or decided there must be one of them, with the same choice. Outcomes and what persons
did are facts, and need a line that asked for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.core.execution import BOUND, next_moves
from playbooks.core.moves import Move, best
from playbooks.core.plan import idempotency_key
from playbooks.models import JournalEntry, Run

_DECIDED: Final = ("done", "failed", "compensated")
"""End states that the journal decides; a person or the clock decides the others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Line ``seq`` (0: the end) does not follow from those before it."""

    seq: int
    place: str
    expected: str
    found: str


def replay_run(run: Run, entries: Sequence[JournalEntry]) -> tuple[Difference, ...]:
    """Return every line of the record that the plan and the lines before it don't explain."""
    found: list[Difference] = []
    for number, entry in enumerate(entries):
        moves = _moves(run, entries[:number], entry.at)
        if entry.seq != number + 1 or not _explained(run, entry, moves, entries[:number]):
            expected = ", ".join(sorted({_told(move) for move in moves}))
            found.append(Difference(entry.seq, f"{entry.path} {entry.loop}", expected, entry.kind))
    if run.started_at is not None and run.state in _DECIDED:
        end = best(_moves(run, entries, run.finished_at or 0))
        if end.state != run.state:
            found.append(Difference(0, "", end.state or end.kind, run.state))
    return tuple(found)


def _moves(run: Run, entries: Sequence[JournalEntry], now: int) -> list[Move]:
    return next_moves(run.plan, entries, started_at=run.started_at or 0, now=now)


def _told(move: Move) -> str:
    return f"{move.kind} {move.step.path if move.step else move.state}"


def _explained(
    run: Run, entry: JournalEntry, moves: Sequence[Move], before: Sequence[JournalEntry]
) -> bool:
    if entry.kind in ("cancel", "prolong"):
        return True
    if entry.kind == "outcome":
        mine = [one for one in before if one.place == entry.place]
        open_call = bool(mine) and (mine[-1].kind == "intent" or mine[-1].state == "unknown")
        return open_call and mine[-1].key == entry.key and bool(entry.state)
    here = [m for m in moves if m.step and (m.step.path, m.loop, m.index) == entry.place]
    if entry.kind == "intent":
        key = idempotency_key(run.id, entry.path, entry.loop, entry.target)
        asked = [m for m in here if m.kind == "perform" and m.attempt == entry.attempt]
        return bool(asked) and key == entry.key and _aims(asked[0], entry)
    if entry.index == BOUND:
        return any(move.kind in ("bind", "approve", "expire") for move in here)
    decided = [m for m in here if m.kind == "decide"]
    return bool(decided) and decided[0].choice.details == dict(entry.details)


def _aims(move: Move, entry: JournalEntry) -> bool:
    return move.step is not None and move.step.targets[entry.index].target == entry.target
