"""考核: how units did, from what they owed, did in time, finished and had to do again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from playbooks.models.notices import Delivery, Score

WHOLE: Final = 1_000
_SHARES: Final = (400, 400, 200)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery and the check its notice names."""

    delivery: Delivery
    check: str


def score_units(delivered: Iterable[Delivered], now: int) -> tuple[Score, ...]:
    """Return each unit's score, the lowest first; what is owed counts once done or overdue."""
    units: dict[str, list[Delivered]] = {}
    for each in delivered:
        if each.delivery.ending not in ("withdrawn", "appealed"):
            units.setdefault(each.delivery.org_id, []).append(each)
    scores = [_score(unit, found, now) for unit, found in units.items()]
    return tuple(sorted(scores, key=lambda score: (score.score, score.org_id)))


def _score(unit: str, found: list[Delivered], now: int) -> Score:
    owed = in_time = 0
    for each in found:
        for done, due, late in _steps(each.delivery):
            owed += done or now > due
            in_time += done and not late
    checks = [each.check for each in found if each.check]
    closed = sum(each.delivery.ending == "verified" for each in found)
    returned = sum(each.delivery.rounds for each in found)
    repeated = len(checks) - len(set(checks))
    parts = (
        (in_time, owed) if owed else (1, 1),
        (closed, len(found)),
        (max(0, len(found) - returned - repeated), len(found)),
    )
    total = sum(share * part // whole for share, (part, whole) in zip(_SHARES, parts, strict=True))
    return Score(unit, len(found), owed, in_time, closed, returned, repeated, total)


def _steps(delivery: Delivery) -> tuple[tuple[bool, int, bool], ...]:
    """Return (done, due, late) of the receipt and of the last rectification.

    A step that was late in any round is late.
    """
    rectified = delivery.state in ("rectified", "closed")
    late = any(step.startswith("rectify-") for step in delivery.late)
    return (
        (delivery.received_at is not None, delivery.receive_due, "receive" in delivery.late),
        (rectified, delivery.rectify_due, late),
    )
