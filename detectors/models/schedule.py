"""How far detectors have looked, and how each rule fares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DetectorKey = tuple[str, str]
"""A detector's id and version: another text of a rule begins anew."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Events from ``first`` to ``last`` in ingest order, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a detector stands: ``next_seq`` is None before it was ever asked.

    ``gaps`` are the spans behind it that it has not seen.
    """

    key: DetectorKey
    next_seq: int | None = None
    gaps: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """A detector is set to where the others are; what it jumps over is a gap."""

    key: DetectorKey
    before: int | None
    next_seq: int
    gap: Span | None


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked next: these detectors about these events."""

    kind: Literal["live", "backfill"]
    keys: tuple[DetectorKey, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RuleHealth:
    """How a rule fares. ``failure`` is empty while it can be asked; ``cost`` is CPU time.

    ``cost_ns`` nanoseconds were measured on ``cost_events`` events, the rule asked alone.
    """

    rule_id: str
    last_hit_at: int | None = None
    last_hit_seq: int | None = None
    failure: str = ""
    failed_at: int | None = None
    cost_ns: int = 0
    cost_events: int = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """A stored log source that gives events of a Sigma log source."""

    logsource: str
    source: str
    events: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class AlertVersion:
    """What an alert said at version ``version``, written at ``at``."""

    alert_id: str
    version: int
    at: int
    status: str
    first_at: int
    last_at: int
    event_count: int


@dataclass(frozen=True, slots=True)
class RuleReport:
    """A rule's state of affairs; ``problems`` is empty when nothing is wrong.

    ``last_seq`` is the newest event it was asked about, ``gaps`` what it has not seen;
    ``missing`` are fields it names that none of its events has had; ``quiet`` says that every
    source which feeds it has gone silent; ``cost`` is CPU microseconds per 1,000 events.
    """

    rule_id: str
    version: str
    title: str
    enabled: bool
    last_seq: int
    gaps: tuple[Span, ...]
    last_hit_at: int | None
    failure: str
    sources: tuple[str, ...]
    events: int
    missing: tuple[str, ...]
    quiet: bool
    cost: float | None

    @property
    def problems(self) -> tuple[str, ...]:
        """Name what is wrong: ``raises``, ``fields_missing``, ``sources_quiet``."""
        found = (
            ("raises", bool(self.failure)),
            ("fields_missing", bool(self.missing)),
            ("sources_quiet", self.quiet),
        )
        return tuple(name for name, wrong in found if wrong)
