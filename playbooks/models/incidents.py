"""Incidents, their timelines and their clocks. Instants are UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from secops.kernel.catalogue import Text

IncidentState = Literal[
    "triage", "confirmed", "contained", "eradicated", "recovered", "lessons", "closed"
]
INCIDENT_STATES: Final[dict[IncidentState, Text]] = {
    "triage": Text("待研判", "Triage"),
    "confirmed": Text("已确认", "Confirmed"),
    "contained": Text("遏制", "Containment"),
    "eradicated": Text("根除", "Eradication"),
    "recovered": Text("恢复", "Recovery"),
    "lessons": Text("总结", "Lessons learned"),
    "closed": Text("关闭", "Closed"),
}
SEVERITIES: Final = ("low", "medium", "high", "critical")
"""Of alerts and incidents, the gravest last."""
Ending = Literal["handled", "false_alarm", "duplicate", "test"]
ENDINGS: Final[dict[Ending, Text]] = {
    "handled": Text("已处置", "Handled"),
    "false_alarm": Text("误报", "False alarm"),
    "duplicate": Text("重复", "Duplicate"),
    "test": Text("测试", "Test"),
}


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """What the plane needs of an alert; detectors own the rest.

    ``subjects`` maps a kind (account, address, session, host) to an identifier;
    ``evidence`` maps event ids to the SHA-256 (hex) of their raw bytes;
    ``incident_class`` is a GB/T 20986 subclass code of ``rules/policies``, or "". ``kind`` is
    the detectors' (rule, correlation, anomaly, health, drill), or ``source_silent``.
    """

    id: str
    org_id: str
    title: str
    rule_id: str
    severity: str
    created_at: int
    first_event_at: int
    subjects: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    incident_class: str = ""
    last_event_at: int | None = None
    kind: str = ""
    acknowledged_at: int | None = None


@dataclass(frozen=True, slots=True)
class AlertLink:
    """An alert that belongs to an incident, and the digest of what it said then.

    ``acknowledged_at`` is when somebody had taken it up in the queue, if they had.
    """

    incident_id: str
    alert_id: str
    org_id: str
    title: str
    rule_id: str
    severity: str
    created_at: int
    linked_at: int
    evidence_count: int
    evidence_sha256: str
    first_event_at: int | None = None
    acknowledged_at: int | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of an incident's history; never changed, never removed."""

    incident_id: str
    seq: int
    org_id: str
    at: int
    actor_id: str
    kind: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that happened to us and is being answered.

    ``discovered_at`` starts the statutory clocks; ``category`` is a GB/T 20986 subclass;
    ``level`` is its level there, ``reporting_level`` the level of the reporting rule:
    two scales, both set by a person. ``handled_at`` is when handling ended (总结 began);
    it starts the clock of the closing report. ``version`` grows with each change.
    ``ending`` says as what it was closed, ``duplicate_of`` names the incident it doubles;
    ``contained_at`` is when it first stood at 遏制; ``acknowledged_at`` the first deed of a
    human being in it.
    """

    id: str
    org_id: str
    title: str
    state: IncidentState
    severity: str
    opened_by: str
    opened_at: int
    discovered_at: int
    subjects: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    level: str = ""
    reporting_level: str = ""
    cause: str = ""
    drill: bool = False
    handled_at: int | None = None
    closed_at: int | None = None
    closed_reason: str = ""
    version: int = 1
    lessons: str = ""
    ending: str = ""
    duplicate_of: str = ""
    contained_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """One statutory deadline. ``due_at`` is None where the law names no hours.

    ``filed_at`` ends it; ``overdue`` says that it ran out unfiled, ``late`` that it was filed
    after its end. ``by`` is who owes it where that isn't us; then it is never overdue.
    """

    name: str
    to: tuple[str, ...]
    due_at: int | None
    source: str
    overdue: bool = False
    filed_at: int | None = None
    late: bool = False
    by: str = ""
