"""What the plane needs from outside: other planes, the network, its data, its stores."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.ports.bindings import AutonomyStores
from playbooks.ports.custody import CustodySigner, EvidenceStore
from playbooks.ports.drills import DrillStore
from playbooks.ports.duty import DutyStores
from playbooks.ports.emergency_plans import EmergencyPlanStore
from playbooks.ports.erasure import PersonTraceStore
from playbooks.ports.incident_work import IncidentWorkStore, ObservableStore
from playbooks.ports.incidents import (
    FilingStore,
    IncidentFilter,
    IncidentStore,
    TimelineStore,
)
from playbooks.ports.notifications import (
    Mailer,
    NotificationStores,
    OutgoingMail,
    SecretBox,
)
from playbooks.ports.outside import (
    Alerts,
    Containment,
    LogExtract,
    Logs,
    Order,
    Outbound,
    PlaybooksPorts,
    RestrainedKind,
)
from playbooks.ports.release import (
    Library,
    ReportPrinter,
)
from playbooks.ports.response_times import ResponseTimeStore
from playbooks.ports.runs import (
    PlaybookStore,
    RunStore,
)

__all__ = [
    "Alerts",
    "AutonomyStores",
    "Containment",
    "CustodySigner",
    "DrillStore",
    "DutyStores",
    "EmergencyPlanStore",
    "EvidenceStore",
    "FilingStore",
    "IncidentFilter",
    "IncidentStore",
    "IncidentWorkStore",
    "Library",
    "LogExtract",
    "Logs",
    "Mailer",
    "NotificationStores",
    "ObservableStore",
    "Order",
    "Outbound",
    "OutgoingMail",
    "PersonTraceStore",
    "PlaybookStore",
    "PlaybookStores",
    "PlaybooksPorts",
    "ReportPrinter",
    "ResponseTimeStore",
    "RestrainedKind",
    "RunStore",
    "SecretBox",
    "TimelineStore",
]


@dataclass(frozen=True, slots=True)
class PlaybookStores:
    """The plane's stores."""

    incidents: IncidentStore
    timelines: TimelineStore
    playbooks: PlaybookStore
    runs: RunStore
    filings: FilingStore
    work: IncidentWorkStore
    observables: ObservableStore
    evidence: EvidenceStore
    times: ResponseTimeStore
    plans: EmergencyPlanStore
    notifications: NotificationStores
    duty: DutyStores
    drills: DrillStore
    autonomy: AutonomyStores
    traces: PersonTraceStore
