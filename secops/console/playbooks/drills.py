"""Drills: planned, approved by another, run, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from playbooks.models.drills import DRILL_RULE, STATES, Drill
from playbooks.service.drills import DrillService
from playbooks.service.drills.documents import drill_document, entered_plan
from secops.console.detectors.alerts import SEVERITIES
from secops.console.parts import FRESH, Desk, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.playbooks import DRILL_APPROVE, DRILL_PLAN, DRILL_READ
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

BADGES: Final = {"running": "warn", "ended": "good", "rejected": "bad"}
_COLUMNS: Final = (
    Column("planned", N_("策划时间")),
    Column("title", N_("标题")),
    Column("state", N_("状态")),
    Column("by", N_("策划人")),
    Column("approver", N_("批准人")),
)


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: Desk

    @property
    def _drills(self) -> DrillService:
        return self.desk.parts.playbooks.drills

    def show_drills(self, request: Request) -> Response:
        """Show the drills, newest first."""
        page = self._drills.list_drills(request.caller, wanted_page(request))
        rows = [self._row(request, one) for one in page.items]
        return self.desk.list_page(
            request,
            "drills/drills.html",
            Table(N_("演练"), _COLUMNS, rows, page.next),
            may_plan=request.caller.may(DRILL_PLAN),
        )

    def _row(self, request: Request, drill: Drill) -> tuple[Cell, ...]:
        document = drill_document(drill)
        return (
            Cell("", instant=drill.planned_at),
            Cell(document["title"], href=f"/drills/{drill.id}"),
            Cell(STATES[drill.state].into(request.language), badge=BADGES.get(drill.state, "info")),
            Cell(drill.planned_by),
            Cell(drill.approved_by or "—"),
        )

    def plan_drill(self, request: Request) -> Response:
        """Plan a drill and ask for its approval."""
        form = request.form
        alerts = [line for line in form.get("alerts", "").splitlines() if line.strip()]
        accounts = form.get("accounts", "").replace(",", " ").split()
        plan = entered_plan(form.get("title", ""), form.get("scenario", ""), alerts, accounts)
        drill = self._drills.plan_drill(request.caller, plan)
        return redirect(f"/drills/{drill.id}")

    def show_drill(self, request: Request) -> Response:
        """Show a drill, its alerts, its record and its findings."""
        caller = request.caller
        view = self._drills.show_drill(caller, request.args["drill_id"])
        drill = view.drill
        return self.desk.page(
            request,
            "drills/drill.html",
            view=view,
            drill=drill,
            title=drill_document(drill)["title"],
            state=STATES[drill.state],
            badge=BADGES.get(drill.state, "info"),
            levels=SEVERITIES,
            queue=f"/alerts?rule={DRILL_RULE}{drill.id}",
            findings=[one for one in view.notes if one.kind == "finding"],
            may_plan=caller.may(DRILL_PLAN),
            may_approve=caller.may(DRILL_APPROVE) and caller.id != drill.planned_by,
        )

    def approve_drill(self, request: Request) -> Response:
        """Approve or reject exactly the plan that was shown."""
        drill_id, form = request.args["drill_id"], request.form
        self._drills.approve_drill(
            request.caller,
            drill_id,
            grant=granted(form),
            plan_sha256=form.get("plan", ""),
            reason=form.get("reason", ""),
        )
        return redirect(f"/drills/{drill_id}")

    def start_drill(self, request: Request) -> Response:
        """Begin it."""
        self._drills.start_drill(request.caller, request.args["drill_id"])
        return redirect(f"/drills/{request.args['drill_id']}")

    def end_drill(self, request: Request) -> Response:
        """End it."""
        self._drills.end_drill(request.caller, request.args["drill_id"])
        return redirect(f"/drills/{request.args['drill_id']}")

    def note_drill(self, request: Request) -> Response:
        """Add an observation or a finding."""
        drill_id, form = request.args["drill_id"], request.form
        finding = form.get("kind") == "finding"
        self._drills.note_drill(request.caller, drill_id, form.get("text", ""), finding=finding)
        return redirect(f"/drills/{drill_id}")

    def report_drill(self, request: Request) -> Response:
        """Return the report as a file."""
        drill_id = request.args["drill_id"]
        report = self._drills.report_drill(request.caller, drill_id)
        content = orjson.dumps(report, option=orjson.OPT_INDENT_2)
        return file_response(content, "application/json", f"DRILL-{drill_id}.json")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of drills."""
    here = _Pages(desk)
    one = "/drills/<drill_id>"
    return (
        get_page("/drills", "show_drills", DRILL_READ, here.show_drills),
        post_page("/drills", "plan_drill_form", DRILL_PLAN, here.plan_drill),
        get_page(one, "show_drill", DRILL_READ, here.show_drill),
        get_page(f"{one}/report", "report_drill_page", DRILL_READ, here.report_drill),
        post_page(
            f"{one}/decision", "approve_drill_form", DRILL_APPROVE, here.approve_drill, **FRESH
        ),
        post_page(f"{one}/start", "start_drill_form", DRILL_PLAN, here.start_drill),
        post_page(f"{one}/end", "end_drill_form", DRILL_PLAN, here.end_drill),
        post_page(f"{one}/notes", "note_drill_form", DRILL_PLAN, here.note_drill),
    )
