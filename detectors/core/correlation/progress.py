"""How far groups are decided whose windows are judged when they are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from detectors.core.correlation.model import Correlation
from detectors.models.correlation import Group, GroupState, Match


def after_arrival(
    correlation: Correlation, group: Group, state: GroupState | None, at: int
) -> GroupState:
    """Return a group's state when the earliest of new matches, at ``at``, is not late."""
    if state is None:
        return GroupState(group, at, at + correlation.timespan, at - 1)
    begins_at = at if state.due_at is None else min(at, state.begins_at)
    return replace(state, begins_at=begins_at, due_at=begins_at + correlation.timespan)


def is_late(state: GroupState | None, at: int) -> bool:
    """Tell whether windows were judged already in which a match at ``at`` would have counted."""
    return state is not None and at <= state.settled_to


def reopened(
    correlation: Correlation, state: GroupState, at: int, before: Sequence[Match]
) -> GroupState:
    """Return the state in which everything that a late match at ``at`` touches is open again.

    ``before`` are the matches up to ``at``, the latest first. Windows follow each other, so
    they are judged anew from the last match that certainly began one: nothing lies within T
    before it. An absence depends on the match before only.
    """
    begins_at = at
    for match in before:
        if begins_at - match.at > correlation.timespan:
            break
        begins_at = match.at
        if correlation.type == "absence" and match.at < at:
            break
    if state.due_at is not None:
        begins_at = min(begins_at, state.begins_at)
    due_at = begins_at + correlation.timespan
    return replace(state, begins_at=begins_at, due_at=due_at, settled_to=begins_at - 1)


def after_settling(
    correlation: Correlation, state: GroupState, matches: Sequence[Match], open_from: int | None
) -> GroupState:
    """Return the state when windows were judged up to ``open_from`` (None: all of them)."""
    if open_from is not None:
        due_at = open_from + correlation.timespan
        return replace(state, begins_at=open_from, due_at=due_at, settled_to=open_from - 1)
    last = matches[-1].at if matches else state.begins_at
    return replace(state, due_at=None, settled_to=_covered(correlation, state, matches, last))


def _covered(
    correlation: Correlation, state: GroupState, matches: Sequence[Match], last: int
) -> int:
    """Return the end of the last window: of a silence, T behind the last match."""
    if correlation.type == "absence":
        return last + correlation.timespan
    begins = state.begins_at
    for match in matches:
        if match.at > begins + correlation.timespan:
            begins = match.at
    return begins + correlation.timespan
