"""A move of a run, which of several is made first, and the line it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from playbooks.core.choices import Choice
from playbooks.core.plan import idempotency_key
from playbooks.models import JournalEntry, PlannedStep, Run

MoveKind = Literal[
    "perform", "recover", "expire", "decide", "bind", "wait", "ask", "approve", "finish"
]
"""perform: intent, call, outcome · recover: an intent has no outcome · expire: a person's
time is over · decide: write down ``choice`` · bind: a late step learns its values · wait:
until ``until`` · ask: a person answers · approve: a person allows a late step · finish: in
``state``."""
EndState = Literal["done", "failed", "cancelled", "compensated", ""]
_PASSIVE: Final = ("wait", "ask", "approve")


@dataclass(frozen=True, slots=True)
class Move:
    """``step``, ``index``, ``loop`` and ``attempt`` say for what.

    ``fresh``: it begins something, so it is left out once a sibling failed. ``until`` of a
    finish is when containment expires (``left`` says which), 0 for never; of ``ask`` and
    ``approve`` when it is too late.
    """

    kind: MoveKind
    step: PlannedStep | None = None
    index: int = 0
    attempt: int = 0
    loop: str = ""
    until: int = 0
    state: EndState = ""
    fresh: bool = False
    takes_back: bool = False
    choice: Choice = field(default_factory=Choice)
    error: str = ""
    left: tuple[Move, ...] = ()


Moves = list[Move]


def with_left(moves: Sequence[Move]) -> Moves:
    """Return ``moves``, and after them what a run that ended well still holds."""
    return [*moves, *(left for move in moves for left in move.left)]


def best(moves: Sequence[Move]) -> Move:
    """Return what can be done now, else the one to wait for: a person before the clock."""
    for move in moves:
        if move.kind not in _PASSIVE:
            return move
    return min(moves, key=lambda move: move.kind == "wait")


def due(moves: Sequence[Move], now: int) -> int | None:
    """Return when the first of ``moves`` can be made without a person, None for never."""
    if any(move.kind not in (*_PASSIVE, "finish") for move in moves):
        return now
    return min((move.until for move in moves if move.until), default=None)


def new_entry(run: Run, step: PlannedStep, move: Move, *, seq: int, now: int) -> JournalEntry:
    """Return a decision of ``move``; what acts on a target carries the key for it."""
    acts = move.kind == "perform"
    target = step.targets[move.index].target if acts else f"step:{step.path}"[:200]
    return JournalEntry(
        run_id=run.id,
        seq=seq,
        org_id=run.org_id,
        at=now,
        path=step.path,
        index=move.index,
        target=target,
        key=idempotency_key(run.id, step.path, move.loop, target) if acts else "",
        attempt=max(move.attempt, 1),
        kind="decision",
        loop=move.loop,
    )
