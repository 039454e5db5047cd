"""Values of the playbooks plane: frozen dataclasses."""

from __future__ import annotations

from playbooks.models.incidents import (
    INCIDENT_STATES,
    AlertLink,
    AlertSummary,
    Clock,
    Incident,
    IncidentState,
    TimelineEntry,
)
from playbooks.models.options import Channel, ChannelKind, PlaybooksOptions
from playbooks.models.playbooks import CheckedPlaybook, Problem, StoredPlaybook
from playbooks.models.runs import (
    FINAL_STATES,
    JournalEntry,
    Notification,
    Plan,
    PlannedStep,
    Run,
    RunState,
    TargetState,
)

__all__ = [
    "FINAL_STATES",
    "INCIDENT_STATES",
    "AlertLink",
    "AlertSummary",
    "Channel",
    "ChannelKind",
    "CheckedPlaybook",
    "Clock",
    "Incident",
    "IncidentState",
    "JournalEntry",
    "Notification",
    "Plan",
    "PlannedStep",
    "PlaybooksOptions",
    "Problem",
    "Run",
    "RunState",
    "StoredPlaybook",
    "TargetState",
    "TimelineEntry",
]
