"""What rules cover, what they have found, and how one of them judges a line."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.models.alerts import Evaluation, Reason, Unscanned
from detectors.models.schedule import RuleHealth


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """A Sigma log source: its rules, and which stored sources feed it with how many events."""

    logsource: str
    rules: int
    enabled: int
    sources: tuple[str, ...]
    events: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """A day (its start in UTC microseconds) and how many alerts were raised on it."""

    day: int
    count: int


@dataclass(frozen=True, slots=True)
class RulePast:
    """What a rule has done: alerts a day, evaluations, what it has not seen, how it fares."""

    days: tuple[DayCount, ...]
    evaluations: tuple[Evaluation, ...]
    gaps: tuple[Unscanned, ...]
    health: RuleHealth


@dataclass(frozen=True, slots=True)
class Judged:
    """How a rule judges one line: ``holds``, why, and what else it asked.

    ``refused`` says why a line is no event. ``fields`` are what the parser made of it.
    """

    line: str
    holds: bool
    reasons: tuple[Reason, ...] = ()
    missed: tuple[Reason, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    at: int | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A rule tried on lines: ``fires`` is its own answer, a correlation's over all of them."""

    fires: bool
    lines: tuple[Judged, ...]
