"""Emergency plans (应急预案): the list, one version, writing and approving."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from playbooks.models.emergency_plans import PLAN_STATES, EmergencyPlan, PlanFormat, PlanTask
from playbooks.service import NewPlan, PlanDecision
from playbooks.service.incidents.plan_fitting import plan_blocks
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, version_of, whole_number
from secops.console.playbooks.incident_work import PHASES
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import (
    EMERGENCY_PLAN_APPROVE,
    EMERGENCY_PLAN_READ,
    EMERGENCY_PLAN_WRITE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("title", N_("预案")),
    Column("version", N_("版本")),
    Column("state", N_("状态")),
    Column("classes", N_("适用类别")),
    Column("review", N_("复审日期")),
    Column("written", N_("起草时间")),
)
_BADGES: Final = {"in_force": "good", "pending": "warn", "rejected": "bad"}
_DIGITS: Final = 6
_MINUTE_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class _Plans:
    desk: Desk

    def list_plans(self, request: Request) -> Response:
        """Show all versions, the last written first, and the form for a new one."""
        services, caller = self.desk.parts.playbooks, request.caller
        page = services.emergency_plans.list_emergency_plans(caller, wanted_page(request))
        rows = [self._row(request, plan) for plan in page.items]
        table = Table(N_("应急预案"), _COLUMNS, rows, page.next, N_("还没有应急预案"))
        return self.desk.list_page(
            request,
            "playbooks/emergency_plans.html",
            table,
            plan=None,
            classes=services.incidents.classification.classes,
            library=services.playbooks.packaged(),
            phases=PHASES,
            may_write=caller.may(EMERGENCY_PLAN_WRITE),
        )

    def _row(self, request: Request, plan: EmergencyPlan) -> tuple[Cell, ...]:
        overdue = plan.state == "in_force" and plan.review_at < self.desk.parts.clock.now()
        return (
            Cell(plan.title, href=f"/emergency-plans/{plan.id}?version={plan.version}"),
            Cell(str(plan.version), sort=plan.version),
            Cell(PLAN_STATES[plan.state].into(request.language), badge=_BADGES.get(plan.state, "")),
            Cell("、".join(plan.classes)),
            Cell("", instant=plan.review_at, badge="bad" if overdue else ""),
            Cell("", instant=plan.written_at),
        )

    def show_plan(self, request: Request) -> Response:
        """Show one version, rendered without anything that could act."""
        services, caller = self.desk.parts.playbooks, request.caller
        version = whole_number(request.query.get("version", ""), _DIGITS)
        plan = services.emergency_plans.show_emergency_plan(
            caller, request.args["plan_id"], version
        )
        return self.desk.page(
            request,
            "playbooks/emergency_plan.html",
            plan=plan,
            blocks=plan_blocks(plan),
            states=PLAN_STATES,
            phases=PHASES,
            classes=services.incidents.classification.classes,
            library=services.playbooks.packaged(),
            may_write=caller.may(EMERGENCY_PLAN_WRITE),
            may_approve=caller.may(EMERGENCY_PLAN_APPROVE),
        )

    def write_plan(self, request: Request) -> Response:
        """Write a new plan, or the next version of one, and submit it."""
        form = request.form
        new = NewPlan(
            title=form.get("title", ""),
            content=form.get("content", ""),
            classes=tuple(form.get("classes", "").split()),
            review_at=local_instant(form.get("review", "")) or 0,
            format=cast("PlanFormat", form.get("format", "markdown")),
            playbooks=tuple(form.get("playbooks", "").split()),
            tasks=_tasks(form),
        )
        plans = self.desk.parts.playbooks.emergency_plans
        plan = plans.write_emergency_plan(request.caller, new, form.get("plan_id") or None)
        return redirect(f"/emergency-plans/{plan.id}?version={plan.version}")

    def approve_plan(self, request: Request) -> Response:
        """Put the version that was shown into force, or reject it."""
        plan_id, form = request.args["plan_id"], request.form
        decision = PlanDecision(
            version=version_of(request),
            sha256=form.get("sha256", ""),
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        plans = self.desk.parts.playbooks.emergency_plans
        plans.approve_emergency_plan(request.caller, plan_id, decision)
        return redirect(f"/emergency-plans/{plan_id}?version={decision.version}")

    def withdraw_plan(self, request: Request) -> Response:
        """Take a version out of force."""
        plan_id, version = request.args["plan_id"], version_of(request)
        plans = self.desk.parts.playbooks.emergency_plans
        plans.withdraw_emergency_plan(request.caller, plan_id, version)
        return redirect(f"/emergency-plans/{plan_id}?version={version}")


def _tasks(form: Mapping[str, str]) -> tuple[PlanTask, ...]:
    """Return the tasks of a form: a line each, phase, minutes and title divided by blanks."""
    tasks = []
    for line in form.get("tasks", "").splitlines():
        if not line.strip():
            continue
        phase, _, rest = line.strip().partition(" ")
        minutes, _, title = rest.strip().partition(" ")
        number = whole_number(minutes, _MINUTE_DIGITS)
        if number is None:
            raise Invalid("a task is a line: phase, minutes, title")
        tasks.append(PlanTask(title, phase, number))
    return tuple(tasks)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages."""
    here = _Plans(desk)
    one = "/emergency-plans/<plan_id>"
    return (
        get_page("/emergency-plans", "show_emergency_plans", EMERGENCY_PLAN_READ, here.list_plans),
        get_page(one, "show_emergency_plan_page", EMERGENCY_PLAN_READ, here.show_plan),
        post_page(
            "/emergency-plans", "write_emergency_plan_form", EMERGENCY_PLAN_WRITE, here.write_plan
        ),
        post_page(
            f"{one}/approve",
            "approve_emergency_plan_form",
            EMERGENCY_PLAN_APPROVE,
            here.approve_plan,
            **FRESH,
        ),
        post_page(
            f"{one}/withdraw",
            "withdraw_emergency_plan_form",
            EMERGENCY_PLAN_APPROVE,
            here.withdraw_plan,
        ),
    )
