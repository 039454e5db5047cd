"""The plane's stores on SQLAlchemy Core, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from playbooks.ports import AutonomyStores, DutyStores, NotificationStores, PlaybookStores
from playbooks.ports.notices import Calendars, NoticePrinter, NoticeTools
from playbooks.store.bindings import Answers, Bindings, Pauses
from playbooks.store.deliveries import Deliveries, Proofs
from playbooks.store.drills import Drills
from playbooks.store.duty import Escalations, Rosters, Shifts
from playbooks.store.early_warnings import EarlyWarnings
from playbooks.store.emergency_plans import EmergencyPlans
from playbooks.store.erasure import PersonTraces
from playbooks.store.evidence import EvidenceItems
from playbooks.store.filings import Filings
from playbooks.store.incident_work import IncidentWork
from playbooks.store.incidents import Incidents
from playbooks.store.notices import Notices, Remarks
from playbooks.store.notifications import Channels, Happenings, OutgoingMessages, Subscriptions
from playbooks.store.observables import Observables
from playbooks.store.playbooks import Playbooks
from playbooks.store.response_times import ResponseTimeRows
from playbooks.store.runs import Runs
from playbooks.store.timelines import Timelines

__all__ = ["make_notice_tools", "make_stores"]


def make_stores() -> PlaybookStores:
    """Return all stores; they keep nothing and open nothing themselves."""
    return PlaybookStores(
        incidents=Incidents(),
        timelines=Timelines(),
        playbooks=Playbooks(),
        runs=Runs(),
        filings=Filings(),
        autonomy=AutonomyStores(bindings=Bindings(), answers=Answers(), pauses=Pauses()),
        work=IncidentWork(),
        observables=Observables(),
        evidence=EvidenceItems(),
        times=ResponseTimeRows(),
        plans=EmergencyPlans(),
        notifications=NotificationStores(
            channels=Channels(),
            outgoing=OutgoingMessages(),
            subscriptions=Subscriptions(),
            happenings=Happenings(),
        ),
        drills=Drills(),
        traces=PersonTraces(),
        duty=DutyStores(rosters=Rosters(), shifts=Shifts(), escalations=Escalations()),
    )


def make_notice_tools(printer: NoticePrinter, calendars: Calendars) -> NoticeTools:
    """Return the stores of notices beside what sets their pages and counts their days."""
    return NoticeTools(
        notices=Notices(),
        deliveries=Deliveries(),
        proofs=Proofs(),
        remarks=Remarks(),
        warnings=EarlyWarnings(),
        printer=printer,
        calendars=calendars,
    )
