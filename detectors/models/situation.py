"""The situation of an organisation: what is open, at risk, silent, and to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Figure = Literal[
    "open", "critical", "unacknowledged", "overdue", "incidents", "risky_entities", "silent_sources"
]
FIGURES: Final[tuple[Figure, ...]] = (
    "open",
    "critical",
    "unacknowledged",
    "overdue",
    "incidents",
    "risky_entities",
    "silent_sources",
)
"""The seven numbers, in the order in which they are shown."""
RISKY: Final = 70
"""The risk (0 to 100) from which an entity is counted: that of one open alert of high severity."""


@dataclass(frozen=True, slots=True)
class SystemRisk:
    """What a log source's open alerts weigh; ``owner`` is the unit that answers for it, or "".

    ``score`` adds up 20, 40, 70 and 90 an alert by its severity.
    """

    system: str
    owner: str
    alerts: int
    score: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What was so at ``at`` (UTC microseconds).

    ``raised`` are alerts by the day (its start) they were raised on, the oldest first, without
    the day that is not over. ``weighed`` says of how many of the newest open alerts ``systems``
    is made, ``unplaced`` of how many of them the log line is gone.
    """

    org_id: str
    at: int
    figures: Mapping[Figure, int]
    systems: tuple[SystemRisk, ...]
    raised: tuple[tuple[int, int], ...]
    weighed: int = 0
    unplaced: int = 0


@dataclass(frozen=True, slots=True)
class ExpectedDay:
    """How many alerts a day will probably bring: the middle, and where four of five days fall."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class VolumeForecast:
    """The next seven days, and how the same method did on ``trials`` days that are over.

    ``error`` is its mean absolute error in alerts a day, ``naive_error`` that of "as yesterday";
    ``covered`` is the share of these days that fell into the interval that the others give.
    """

    days: tuple[ExpectedDay, ...]
    trials: int
    error: float
    naive_error: float
    covered: float


@dataclass(frozen=True, slots=True)
class SituationView:
    """A situation with its trends: for each figure (day, value), the oldest first."""

    situation: Situation
    trends: Mapping[Figure, tuple[tuple[int, int], ...]]
    forecast: VolumeForecast | None
    is_stale: bool
