"""Alerts, and what the detectors have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from detectors.models.rules import RuleHeader, Severity

AlertStatus = Literal["open", "closed", "superseded", "revised", "suppressed"]
AlertKind = Literal["rule", "correlation", "health", "anomaly", "drill", "control"]
DRILL: Final = "drill:"
"""What the rule of a drill's alert begins with; no rule of ours or anybody's may."""

MAX_EVIDENCE: Final = 100
"""Event ids that an alert keeps; ``event_count`` counts all."""
RISKS: Final[Mapping[str, int]] = {"low": 20, "medium": 40, "high": 70, "critical": 90}
"""What an open alert says of its subjects, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the *why* table: what was asked, expected, and seen."""

    condition: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Alert:
    """What a detector found. Times are UTC microseconds; ``first_at`` and ``last_at`` event time.

    ``id`` is a hash of detector, group key and first event as first fired: the same finding
    has the same id however often it is found. ``version`` counts what the store was told of
    it; ``suppressed_by`` names the suppression that keeps it quiet. ``reopened_at`` is when new
    events last opened it again: who had acknowledged it before has to look once more.
    """

    id: str
    org_id: str
    kind: AlertKind
    rule_id: str
    rule_version: str
    title: str
    severity: Severity
    raised_at: int
    first_at: int
    last_at: int
    group: tuple[str, ...]
    subjects: Mapping[str, str]
    reasons: tuple[Reason, ...]
    event_ids: tuple[str, ...]
    event_count: int
    tags: tuple[str, ...] = ()
    custom: Mapping[str, str] = field(default_factory=dict)
    status: AlertStatus = "open"
    superseded: tuple[str, ...] = ()
    closed_at: int | None = None
    closed_by: str | None = None
    close_reason: str = ""
    version: int = 1
    suppressed_by: str | None = None
    assignee: str | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    reopened_at: int | None = None


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; None is open. Times are UTC microseconds, ``since`` is event time.

    ``assignee`` is an account's id, ``me``, or empty for nobody's; ``entity_kind`` is
    ``account``, ``address`` or ``session``; ``due_before`` the instant before which the next
    deadline lies, 0 for the one of asking. Services say who and when before a store is asked.
    """

    status: AlertStatus | None = None
    severity: Severity | None = None
    since: int | None = None
    rule_id: str | None = None
    subject: str | None = None
    assignee: str | None = None
    entity_kind: str | None = None
    acknowledged: bool | None = None
    due_before: int | None = None


@dataclass(frozen=True, slots=True)
class RuleState:
    """Whether somebody switched a rule on or off, and who."""

    enabled: bool
    changed_by: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class ListedRule:
    """A rule as it is shown. ``decided`` is None while its own status decides."""

    header: RuleHeader
    enabled: bool
    decided: RuleState | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """This version of a rule was asked about the events from ``first_seq`` to ``last_seq``."""

    detector: str
    version: str
    first_seq: int
    last_seq: int
    events: int
    hits: int
    at: int


@dataclass(frozen=True, slots=True)
class Unscanned:
    """What an enabled rule has not seen yet, and what keeps it from seeing (``raises``…).

    A rule that saw all and still can't see what it is for (its fields are missing, its
    sources quiet) has ``first_seq`` behind ``last_seq``.
    """

    detector: str
    version: str
    title: str
    first_seq: int
    last_seq: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found: all alerts of the window, new or known before."""

    alerts: tuple[Alert, ...]
    new: int
    rules: int
    events: int
