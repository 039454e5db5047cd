"""How an item's status moved since it was last looked at, and whether that is a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from audits.models.assessments import Change, ControlState, Status, Verdict

_RANKS: Final[Mapping[Status, int]] = {
    "noncompliant": 0,
    "partial": 1,
    "unassessed": 1,
    "compliant": 2,
    "not_applicable": 2,
}
"""Losing sight of what was 符合 is a step down, as 部分符合 is."""


def severity_of(verdict: Verdict) -> str:
    """Return how much an item's failing weighs: high with a high-risk case hanging on it."""
    if verdict.high_risk:
        return "high"
    return "medium" if verdict.status == "noncompliant" else "low"


def state_after(
    verdict: Verdict,
    before: ControlState | None,
    key: tuple[str, str, str, int],
    now: int,
    *,
    watched: bool,
) -> ControlState:
    """Return how the item stands now; ``key`` is (organisation, system, standard, level).

    What was never looked at has nothing to fall from. A gap lasts until the item stands as well
    as it did before it fell, whoever judges it. What a person judged opens none, nor does
    anything where the level is not the one that is ``watched``.
    """
    org_id, system_id, standard, level = key
    same = before is not None and before.status == verdict.status
    state = ControlState(
        org_id=org_id,
        system_id=system_id,
        standard=standard,
        level=level,
        item_id=verdict.item.id,
        status=verdict.status,
        judge=verdict.judge,
        since=before.since if before is not None and same else now,
        reason=verdict.reason,
        severity=severity_of(verdict),
    )
    if before is None or not watched:
        return state
    return replace(state, drifted_from=_fallen(before, state))


def _fallen(before: ControlState, after: ControlState) -> Status | None:
    best = before.status if before.drifted_from is None else before.drifted_from
    if before.drifted_from is None and (after.judge == "person" or before.judge == "nobody"):
        return None
    return best if _RANKS[after.status] < _RANKS[best] else None


def changes_between(
    before: Mapping[str, Status], verdicts: Sequence[Verdict]
) -> tuple[Change, ...]:
    """Return the items whose status is another than ``before``, in their order."""
    return tuple(
        Change(verdict.item.id, before[verdict.item.id], verdict.status)
        for verdict in verdicts
        if verdict.item.id in before and before[verdict.item.id] != verdict.status
    )
