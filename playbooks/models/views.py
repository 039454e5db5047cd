"""What services show to faces: joined values, nothing to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from playbooks.models.custody import CustodyLink, CustodyOffer, Evidence
from playbooks.models.emergency_plans import EmergencyPlan
from playbooks.models.incident_work import Member, Observable, Sighting, Task
from playbooks.models.incidents import (
    AlertLink,
    Clock,
    Incident,
    IncidentState,
    TimelineEntry,
)
from playbooks.models.runs import JournalEntry, Run, TargetState

WaitingKind = Literal["manual", "unknown", "approval", "containment"]
"""manual: work done by hand · unknown: nobody knows the outcome of a call · approval: a step
whose values were known late · containment: what was taken away is given back by itself."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something in a run that a person may do now, until ``until`` (0: for ever).

    ``text`` are the instructions; ``asks`` the results to give; ``sha256`` what an approval is
    bound to, ``args`` and ``targets`` what it covers.
    """

    kind: WaitingKind
    path: str
    name: str
    loop: str = ""
    until: int = 0
    text: str = ""
    asks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[TargetState, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, its journal, each step's state by path, and what waits for a person.

    ``journal_sha256`` is over the RFC 8785 form of the journal.
    """

    run: Run
    journal: tuple[JournalEntry, ...]
    states: Mapping[str, str]
    journal_sha256: str
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentView:
    """All about an incident that its page and its report show, as of ``seen_at``."""

    incident: Incident
    alerts: tuple[AlertLink, ...]
    timeline: tuple[TimelineEntry, ...]
    clocks: tuple[Clock, ...]
    runs: tuple[RunView, ...]
    next_states: tuple[IncidentState, ...]
    seen_at: int
    work: IncidentWork


@dataclass(frozen=True, slots=True)
class IncidentWork:
    """Who works on an incident, with what: as its page and its report show it.

    ``plans`` are the emergency plans in force for its class, ``sightings`` where else its
    observables were seen; ``links`` are the chains of custody of ``evidence``.
    """

    members: tuple[Member, ...] = ()
    tasks: tuple[Task, ...] = ()
    observables: tuple[Observable, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    links: tuple[CustodyLink, ...] = ()
    offers: tuple[CustodyOffer, ...] = ()
    plans: tuple[EmergencyPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentEvidence:
    """What an assessment asks of incident handling; times are seconds.

    ``overdue`` counts open incidents with a statutory clock run out. ``closed_handled`` are
    those that were none of false alarm, duplicate or test: of these cause, evidence, process
    (more than opening and closing) and lessons are asked. ``sha256`` is over the RFC 8785 form
    of the incidents counted (id, state, version).
    """

    total: int
    open: int
    closed: int
    closed_with_cause: int
    classified: int
    with_alerts: int
    with_runs: int
    drills: int
    overdue: int
    median_seconds_to_close: int | None
    last_opened_at: int | None
    sha256: str
    closed_handled: int = 0
    closed_without_cause: int = 0
    closed_without_process: int = 0
    closed_without_evidence: int = 0
    closed_without_lessons: int = 0


@dataclass(frozen=True, slots=True)
class DeliveryEvidence:
    """Messages to people since an instant: how many left, and urgent ones that did not."""

    sent: int
    urgent_undelivered: int
    channels: int


@dataclass(frozen=True, slots=True)
class DrillEvidence:
    """Exercises of response: drills, and runs of playbooks that came to their end."""

    drills: int
    last_drill_at: int | None
    runs_done: int
    runs_failed: int
    runs_approved_by_another: int
    playbooks_approved: int
    sha256: str
