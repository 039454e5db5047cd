"""How quickly incidents were detected, acknowledged, contained and resolved. Spans: µs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from secops.kernel.catalogue import Text

Measure = Literal["detect", "acknowledge", "contain", "resolve"]
MEASURES: Final[dict[Measure, Text]] = {
    "detect": Text("平均检测时间 MTTD", "Time to detect (MTTD)"),
    "acknowledge": Text("平均确认时间 MTTA", "Time to acknowledge (MTTA)"),
    "contain": Text("遏制用时", "Time to contain"),
    "resolve": Text("平均恢复时间 MTTR", "Time to resolve (MTTR)"),
}


@dataclass(frozen=True, slots=True)
class IncidentTimes:
    """The instants of one incident that are measured; None is not known.

    Alerts and events are the earliest of the incident and of those that double it;
    ``acknowledged_at`` is the first deed of a human being.
    """

    incident_id: str
    closed_at: int | None
    opened_at: int
    first_alert_at: int | None
    first_event_at: int | None
    acknowledged_at: int | None
    contained_at: int | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How spans lie: their number, nearest-rank percentiles and mean; None of nothing."""

    n: int
    p50: int | None
    p90: int | None
    mean: int | None


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Spans of incidents closed from ``since`` up to before ``until``, wall clock.

    ``open_ages`` are the ages, at ``seen_at``, of those that are open.
    """

    since: int
    until: int
    seen_at: int
    spans: Mapping[Measure, Spread]
    open_ages: Spread
    incidents: tuple[IncidentTimes, ...] = ()
