"""The plane's use cases. Other packages hold a ``PlaybooksServices``."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.service.actions import make_actions
from playbooks.service.bindings import AutonomyServices, build_autonomy
from playbooks.service.drills import DrillService
from playbooks.service.duty import DutyServices, build_duty
from playbooks.service.incidents.alert_incidents import AlertIncidents
from playbooks.service.incidents.custody import CustodyService
from playbooks.service.incidents.emergency_plans import (
    EmergencyPlanService,
    NewPlan,
    PlanDecision,
)
from playbooks.service.incidents.erasure import PersonTraceService
from playbooks.service.incidents.evidence import EvidenceService
from playbooks.service.incidents.filings import FilingService, NewFiling
from playbooks.service.incidents.incidents import (
    IncidentService,
    Judgement,
    NewIncident,
    StateChange,
)
from playbooks.service.incidents.levels import LevelAnswers, LevelService
from playbooks.service.incidents.locker import EvidenceLocker
from playbooks.service.incidents.members import MemberService
from playbooks.service.incidents.observables import NewObservable, ObservableService
from playbooks.service.incidents.openers import AlertOpener
from playbooks.service.incidents.reports import ReportService
from playbooks.service.incidents.response_times import ResponseTimeService
from playbooks.service.incidents.rights import IncidentRights
from playbooks.service.incidents.tasks import NewTask, TaskChange, TaskService
from playbooks.service.notices import NoticeServices, make_notice_services
from playbooks.service.notifications import NotificationServices, build_notifications
from playbooks.service.notifications.inbox import InboxService
from playbooks.service.playbooks.checking import check_playbook, require_playbook
from playbooks.service.playbooks.playbooks import PlaybookService
from playbooks.service.runs.binding import Binder
from playbooks.service.runs.performing import Performer
from playbooks.service.runs.planning import Planner
from playbooks.service.runs.run_views import RunViews
from playbooks.service.runs.runner import Runner
from playbooks.service.runs.runs import RunRequest, RunService, StepAnswer
from playbooks.service.runs.steps import StepDecision, StepService
from playbooks.service.surroundings import Surroundings

__all__ = [
    "Judgement",
    "LevelAnswers",
    "NewFiling",
    "NewIncident",
    "NewObservable",
    "NewPlan",
    "NewTask",
    "PlanDecision",
    "PlaybooksServices",
    "RunRequest",
    "StateChange",
    "StepAnswer",
    "StepDecision",
    "Surroundings",
    "TaskChange",
    "check_playbook",
    "make_services",
    "require_playbook",
]


@dataclass(frozen=True, slots=True)
class PlaybooksServices:
    """What the plane can do."""

    incidents: IncidentService
    reports: ReportService
    playbooks: PlaybookService
    runs: RunService
    steps: StepService
    runner: Runner
    evidence: EvidenceService
    inbox: InboxService
    filings: FilingService
    openers: AlertOpener
    alert_incidents: AlertIncidents
    notices: NoticeServices
    notifications: NotificationServices
    duty: DutyServices
    drills: DrillService
    locker: EvidenceLocker
    custody: CustodyService
    members: MemberService
    tasks: TaskService
    observables: ObservableService
    levels: LevelService
    autonomy: AutonomyServices
    times: ResponseTimeService
    emergency_plans: EmergencyPlanService
    traces: PersonTraceService


def make_services(surroundings: Surroundings, owner: str) -> PlaybooksServices:
    """Return the services; ``owner`` names this process in the runner's leases."""
    views = RunViews(surroundings)
    playbooks = PlaybookService(surroundings)
    rights = IncidentRights(surroundings)
    locker = EvidenceLocker(surroundings, rights)
    actions = make_actions(surroundings, locker.keep)
    binder = Binder(surroundings, actions)
    planner = Planner(surroundings, playbooks, binder)
    performer = Performer(surroundings, actions, binder)
    tasks = TaskService(surroundings, rights)
    incidents = IncidentService(surroundings, views, rights)
    return PlaybooksServices(
        incidents=incidents,
        reports=ReportService(surroundings, incidents),
        playbooks=playbooks,
        runs=RunService(surroundings, playbooks, planner, views),
        steps=StepService(surroundings, binder),
        runner=Runner(surroundings, planner, playbooks, performer, owner),
        evidence=EvidenceService(surroundings),
        inbox=InboxService(surroundings),
        filings=FilingService(surroundings, rights),
        openers=AlertOpener(surroundings),
        alert_incidents=AlertIncidents(surroundings),
        notices=make_notice_services(surroundings),
        notifications=build_notifications(surroundings),
        duty=build_duty(surroundings),
        drills=DrillService(surroundings),
        locker=locker,
        custody=CustodyService(surroundings, rights),
        members=MemberService(surroundings, rights),
        tasks=tasks,
        observables=ObservableService(surroundings, rights),
        levels=LevelService(surroundings),
        autonomy=build_autonomy(surroundings, playbooks, planner),
        times=ResponseTimeService(surroundings),
        emergency_plans=EmergencyPlanService(surroundings, rights, tasks),
        traces=PersonTraceService(surroundings),
    )
