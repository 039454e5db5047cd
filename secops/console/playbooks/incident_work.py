"""An incident's people, tasks, what was seen, and the aid for its levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from playbooks.models.incident_work import (
    MEMBER_ROLES,
    OBSERVABLE_KINDS,
    TASK_STATES,
    MemberRole,
    TaskState,
)
from playbooks.models.incidents import INCIDENT_STATES
from playbooks.service import Judgement, LevelAnswers, NewObservable, NewTask, TaskChange
from secops.console.parts import Desk, get_page, post_page, version_of, whole_number
from secops.console.playbooks.filings import LEVELS
from secops.kernel.clock import HOUR
from secops.kernel.permissions.playbooks import (
    INCIDENT_CHANGE,
    INCIDENT_READ,
    INCIDENT_STAFF,
)
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

PHASES: Final = {state: text for state, text in INCIDENT_STATES.items() if state != "closed"}
_HOUR_DIGITS: Final = 4
_FIGURE: Final = "figure:"


@dataclass(frozen=True, slots=True)
class _Work:
    desk: Desk

    def show_work(self, request: Request) -> Response:
        """Show members, tasks, observables and the plans that fit."""
        incident_id = request.args["incident_id"]
        caller, services = request.caller, self.desk.parts.playbooks
        view = services.incidents.show_incident(caller, incident_id)
        return self.desk.page(
            request,
            "playbooks/incident_work.html",
            incident=view.incident,
            work=view.work,
            seen_at=view.seen_at,
            adopted={entry.details.get("plan") for entry in view.timeline},
            member_roles=MEMBER_ROLES,
            task_states=TASK_STATES,
            phases=PHASES,
            kinds=OBSERVABLE_KINDS,
            states=INCIDENT_STATES,
            may_change=caller.may(INCIDENT_CHANGE),
            may_staff=caller.may(INCIDENT_STAFF),
        )

    def set_member(self, request: Request) -> Response:
        """Make somebody a member, change their part, or remove them."""
        incident_id, form = request.args["incident_id"], request.form
        members, role = self.desk.parts.playbooks.members, form.get("role", "")
        account = form.get("account", "")
        if role == "remove":
            members.remove_member(request.caller, incident_id, account)
        else:
            members.set_member(request.caller, incident_id, account, cast("MemberRole", role))
        return _back(request)

    def add_task(self, request: Request) -> Response:
        """Add a task; hours from now are its limit."""
        form = request.form
        new = NewTask(
            title=form.get("title", ""),
            phase=form.get("phase", ""),
            assignee=form.get("assignee", ""),
            due_at=self._due(form.get("hours", "")),
        )
        incident_id = request.args["incident_id"]
        self.desk.parts.playbooks.tasks.add_task(request.caller, incident_id, new)
        return _back(request)

    def _due(self, hours: str) -> int | None:
        number = whole_number(hours.strip(), _HOUR_DIGITS)
        return None if number is None else self.desk.parts.clock.now() + number * HOUR

    def change_task(self, request: Request) -> Response:
        """Say what became of a task as it was shown."""
        form = request.form
        change = TaskChange(
            version=version_of(request),
            state=cast("TaskState", form.get("state", "")),
            result=form.get("result", ""),
        )
        task_id = form.get("task_id", "")
        self.desk.parts.playbooks.tasks.change_task(request.caller, task_id, change)
        return _back(request)

    def add_observable(self, request: Request) -> Response:
        """Add what was seen."""
        form = request.form
        new = NewObservable(form.get("kind", ""), form.get("value", ""))
        incident_id = request.args["incident_id"]
        self.desk.parts.playbooks.observables.add_observable(request.caller, incident_id, new)
        return _back(request)

    def adopt_plan(self, request: Request) -> Response:
        """Work by a plan that fits: its tasks become the incident's."""
        incident_id, plan_id = request.args["incident_id"], request.form.get("plan_id", "")
        plans = self.desk.parts.playbooks.emergency_plans
        plans.adopt_emergency_plan(request.caller, incident_id, plan_id)
        return _back(request)

    def show_levels(self, request: Request) -> Response:
        """Show the aid's questions, and what the answers in the address propose."""
        query, services = request.query, self.desk.parts.playbooks
        view = services.incidents.show_incident(request.caller, request.args["incident_id"])
        figures = {
            name.removeprefix(_FIGURE): value.strip()
            for name, value in query.items()
            if name.startswith(_FIGURE) and value.strip()
        }
        advice = None
        if query.get("target"):
            answers = LevelAnswers(
                query["target"], query.get("loss", ""), query.get("harm", ""), figures
            )
            advice = services.levels.propose_levels(request.caller, answers)
        return self.desk.page(
            request,
            "playbooks/levels.html",
            incident=view.incident,
            scales=services.incidents.classification,
            metrics=services.levels.metrics,
            given=query,
            figures=figures,
            advice=advice,
            levels=LEVELS,
            may_change=request.caller.may(INCIDENT_CHANGE),
        )

    def adopt_levels(self, request: Request) -> Response:
        """Set the levels that a person decided, with what they were judged by."""
        incident_id, form = request.args["incident_id"], request.form
        judgement = Judgement(
            level=form.get("level", ""),
            reporting_level=form.get("reporting_level", ""),
            basis=form.get("basis", ""),
            version=version_of(request),
        )
        incidents = self.desk.parts.playbooks.incidents
        incidents.judge_incident(request.caller, incident_id, judgement)
        return redirect(f"/incidents/{incident_id}")


def _back(request: Request) -> Response:
    return redirect(f"/incidents/{request.args['incident_id']}/work")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages."""
    here = _Work(desk)
    one = "/incidents/<incident_id>"
    return (
        get_page(f"{one}/work", "show_incident_work_page", INCIDENT_READ, here.show_work),
        get_page(f"{one}/levels", "propose_levels_page", INCIDENT_READ, here.show_levels),
        post_page(f"{one}/levels", "adopt_levels_form", INCIDENT_CHANGE, here.adopt_levels),
        post_page(f"{one}/members", "set_member_form", INCIDENT_STAFF, here.set_member),
        post_page(f"{one}/tasks", "add_task_form", INCIDENT_CHANGE, here.add_task),
        post_page(f"{one}/task-changes", "change_task_form", INCIDENT_CHANGE, here.change_task),
        post_page(
            f"{one}/observables", "add_observable_form", INCIDENT_CHANGE, here.add_observable
        ),
        post_page(
            f"{one}/emergency-plans", "adopt_emergency_plan_form", INCIDENT_CHANGE, here.adopt_plan
        ),
    )
