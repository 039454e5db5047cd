"""Incidents: the list, one incident with timeline and clocks, opening one from an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from playbooks.models.incidents import (
    ENDINGS,
    INCIDENT_STATES,
    Ending,
    Incident,
    IncidentState,
)
from playbooks.models.reports import ReportFormat, ReportKind
from playbooks.service import Judgement, NewIncident, StateChange
from playbooks.service.runs.runs import RunRequest
from secops.console.detectors.alerts import SEVERITIES, severity_cell
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.playbooks.filings import DECLARED, LEVELS, shown_clocks
from secops.console.playbooks.runs import RUN_STATES
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.playbooks import (
    INCIDENT_CHANGE,
    INCIDENT_OPEN,
    INCIDENT_READ,
    INCIDENT_REPORT,
    NOTICE_DRAFT,
    RUN_REQUEST,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_LIGHT: Final = frozenset(("", "ordinary"))
_COLUMNS: Final = (
    Column("title", N_("事件")),
    Column("state", N_("状态")),
    Column("severity", N_("级别")),
    Column("opened", N_("开立时间")),
    Column("category", N_("类别")),
)


@dataclass(frozen=True, slots=True)
class _Incidents:
    desk: Desk

    def list_incidents(self, request: Request) -> Response:
        """Show incidents; ``?state=`` filters."""
        state = request.query.get("state", "open")
        incidents = self.desk.parts.playbooks.incidents
        drills = request.query.get("drills") != "no"
        asked = wanted_page(request)
        page = incidents.list_incidents(request.caller, state, asked, drills=drills)
        rows = [self._row(request, incident) for incident in page.items]
        table = Table(N_("事件"), _COLUMNS, rows, page.next, N_("没有事件"))
        return self.desk.list_page(
            request, "playbooks/incidents.html", table, state=state, states=INCIDENT_STATES
        )

    def _row(self, request: Request, incident: Incident) -> tuple[Cell, ...]:
        return (
            Cell(incident.title, href=f"/incidents/{incident.id}"),
            Cell(INCIDENT_STATES[incident.state].into(request.language)),
            severity_cell(self.desk, request, incident.severity),
            Cell("", instant=incident.opened_at),
            Cell(incident.category),
        )

    def open_incident(self, request: Request) -> Response:
        """Open an incident from an alert."""
        new = NewIncident(alert_id=request.args["alert_id"])
        incident = self.desk.parts.playbooks.incidents.open_incident(request.caller, new)
        return redirect(f"/incidents/{incident.id}")

    def show_incident(self, request: Request) -> Response:
        """Show one incident: what is known, done and owed."""
        playbooks = self.desk.parts.playbooks
        view = playbooks.incidents.show_incident(request.caller, request.args["incident_id"])
        caller = request.caller
        return self.desk.page(
            request,
            "playbooks/incident.html",
            view=view,
            incident=view.incident,
            clocks=shown_clocks(view),
            may_declare=DECLARED not in {clock.name for clock in view.clocks},
            declared=DECLARED,
            levels=LEVELS,
            severity=SEVERITIES.get(view.incident.severity, view.incident.severity),
            states=INCIDENT_STATES,
            endings=ENDINGS,
            lessons_owed=bool({view.incident.level, view.incident.reporting_level} - _LIGHT),
            run_states=RUN_STATES,
            classes=playbooks.incidents.classification.classes,
            library=playbooks.playbooks.packaged(),
            may_change=caller.may(INCIDENT_CHANGE),
            may_run=caller.may(RUN_REQUEST),
            may_report=caller.may(INCIDENT_REPORT),
            may_notify=caller.may(NOTICE_DRAFT),
        )

    def change_state(self, request: Request) -> Response:
        """Move the incident on."""
        incident_id, form = request.args["incident_id"], request.form
        self.desk.parts.playbooks.incidents.change_state(
            request.caller,
            incident_id,
            cast("IncidentState", form.get("state", "")),
            StateChange(
                reason=form.get("reason", ""),
                ending=cast("Ending | None", form.get("ending") or None),
                duplicate_of=form.get("duplicate_of", ""),
                version=whole_number(form.get("version", ""), 9),
            ),
        )
        return redirect(f"/incidents/{incident_id}")

    def judge_incident(self, request: Request) -> Response:
        """Set class, level or cause."""
        incident_id, form = request.args["incident_id"], request.form
        judgement = Judgement(
            category=form.get("category") or None,
            level=form.get("level") or None,
            reporting_level=form.get("reporting_level") or None,
            cause=form.get("cause") or None,
            lessons=form.get("lessons") or None,
            basis=form.get("basis", ""),
            version=whole_number(form.get("version", ""), 9),
        )
        self.desk.parts.playbooks.incidents.judge_incident(request.caller, incident_id, judgement)
        return redirect(f"/incidents/{incident_id}")

    def add_note(self, request: Request) -> Response:
        """Add a line to the timeline."""
        incident_id = request.args["incident_id"]
        text = request.form.get("text", "")
        self.desk.parts.playbooks.incidents.add_note(request.caller, incident_id, text)
        return redirect(f"/incidents/{incident_id}")

    def plan_run(self, request: Request) -> Response:
        """Show exactly what a playbook would do (a dry run), or ask for the run."""
        incident_id, form = request.args["incident_id"], request.form
        service = self.desk.parts.playbooks
        name = form.get("playbook", "")
        playbook = service.playbooks.find(request.caller, name)
        given = {
            key.removeprefix("var:"): value
            for key, value in form.items()
            if key.startswith("var:") and value.strip()
        }
        wish = RunRequest(incident_id, playbook, given)
        if form.get("do") == "request":
            run = service.runs.request_run(request.caller, wish)
            return redirect(f"/runs/{run.id}")
        plan = service.runs.plan_run(request.caller, wish)
        return self.desk.page(
            request,
            "playbooks/plan.html",
            plan=plan,
            playbook=playbook,
            name=name,
            given=given,
            incident_id=incident_id,
        )

    def report_incident(self, request: Request) -> Response:
        """Download the incident's report in the chosen kind and format."""
        incident_id, form = request.args["incident_id"], request.form
        output = cast("ReportFormat", form.get("format", "html"))
        content = self.desk.parts.playbooks.reports.report_incident(
            request.caller,
            incident_id,
            output=output,
            kind=cast("ReportKind", form.get("kind", "full")),
            language=request.language,
        )
        return file_response(content, "application/octet-stream", f"{incident_id}.{output}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the incident pages."""
    here = _Incidents(desk)
    one = "/incidents/<incident_id>"
    return (
        get_page("/incidents", "show_incidents", INCIDENT_READ, here.list_incidents),
        post_page(
            "/alerts/<alert_id>/incident", "open_incident_form", INCIDENT_OPEN, here.open_incident
        ),
        get_page(one, "show_incident_page", INCIDENT_READ, here.show_incident),
        post_page(f"{one}/state", "change_state_form", INCIDENT_CHANGE, here.change_state),
        post_page(f"{one}/judge", "judge_incident_form", INCIDENT_CHANGE, here.judge_incident),
        post_page(f"{one}/notes", "add_note_form", INCIDENT_CHANGE, here.add_note),
        post_page(f"{one}/plan", "plan_run_form", RUN_REQUEST, here.plan_run),
        post_page(f"{one}/report", "report_incident_form", INCIDENT_REPORT, here.report_incident),
    )
