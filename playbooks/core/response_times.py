"""MTTD, MTTA and MTTR from the instants of incidents, on the wall clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from playbooks.models.response_times import IncidentTimes, Measure, Spread

_PERCENT: Final = 100


def spread_of(spans: Iterable[int]) -> Spread:
    """Return number, p50 and p90 by nearest rank, and mean (rounded down) of ``spans``."""
    found = sorted(spans)
    if not found:
        return Spread(0, None, None, None)
    mean = sum(found) // len(found)
    return Spread(len(found), _rank(found, 50), _rank(found, 90), mean)


def _rank(found: Sequence[int], percent: int) -> int:
    return found[-(-len(found) * percent // _PERCENT) - 1]


def response_spans(incidents: Sequence[IncidentTimes]) -> dict[Measure, Spread]:
    """Return how each measure lies over ``incidents``; what isn't known is left out of it.

    Detect: first alert less the earliest event of its evidence. The others count from the first
    alert: to the first deed of a human being, to 遏制, to the last closing. What never had an
    alert has no such spans. A span is never negative: clocks of sources may run ahead.
    """
    return {
        "detect": spread_of(_spans((one.first_event_at, one.first_alert_at) for one in incidents)),
        "acknowledge": spread_of(
            _spans((one.first_alert_at, one.acknowledged_at) for one in incidents)
        ),
        "contain": spread_of(_spans((one.first_alert_at, one.contained_at) for one in incidents)),
        "resolve": spread_of(_spans((one.first_alert_at, one.closed_at) for one in incidents)),
    }


def _spans(pairs: Iterable[tuple[int | None, int | None]]) -> Iterable[int]:
    for start, end in pairs:
        if start is not None and end is not None:
            yield max(end - start, 0)
