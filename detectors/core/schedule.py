"""What is asked next: live events first, then what was left out, the oldest first.

All detectors that run stand at one place, the *front*, and are asked together there. Who
joins later, or was switched off for a while, is set to the front at once; what it jumped
over is a gap, back-filled in bounded pieces while nothing live waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from detectors.models.schedule import Admission, Progress, Span, Step


def admissions(progress: Sequence[Progress], last_seq: int, most: int) -> tuple[Admission, ...]:
    """Return which detectors must be moved to the front.

    A front that is more than ``most`` events behind moves up itself: after an outage the
    newest events are seen first and the others become gaps.
    """
    known = [each.next_seq for each in progress if each.next_seq is not None]
    front = max(known, default=last_seq + 1)
    front = max(front, last_seq + 1 - most)
    return tuple(
        Admission(each.key, each.next_seq, front, _jumped(each.next_seq or 1, front))
        for each in progress
        if each.next_seq is None or each.next_seq < front
    )


def live_step(progress: Sequence[Progress], last_seq: int, most: int) -> Step | None:
    """Return what is new for the detectors at the front; None if nothing is."""
    front = max((each.next_seq or 0 for each in progress), default=0)
    if not front or front > last_seq:
        return None
    keys = tuple(each.key for each in progress if each.next_seq == front)
    return Step("live", keys, Span(front, min(last_seq, front + most - 1)))


def backfill_step(progress: Sequence[Progress], most: int) -> Step | None:
    """Return the oldest events that somebody has not seen; None if there is no gap.

    Detectors whose gaps begin at the same place are asked together; the step ends where
    another's gap begins, so that they meet and go on together.
    """
    oldest = [(each.gaps[0], each.key) for each in progress if each.gaps]
    if not oldest:
        return None
    low = min(gap.first for gap, _ in oldest)
    group = [(gap, key) for gap, key in oldest if gap.first == low]
    ends = [gap.last for gap, _ in group]
    ends.extend(gap.first - 1 for gap, _ in oldest if gap.first > low)
    high = min(*ends, low + most - 1) if len(ends) > 1 else min(ends[0], low + most - 1)
    return Step("backfill", tuple(key for _, key in group), Span(low, high))


def unseen(progress: Progress, last_seq: int) -> tuple[Span, ...]:
    """Return all that a detector has not seen of what is stored, the oldest first."""
    following = progress.next_seq or 1
    live = (Span(following, last_seq),) if following <= last_seq else ()
    return (*progress.gaps, *live)


def _jumped(following: int, front: int) -> Span | None:
    return Span(following, front - 1) if following < front else None
