"""Duty: who is there now, a week of each roster, swaps, and what people were called for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.models.duty import RECEIVERS, Escalation, PolicyStep, Roster
from playbooks.service.duty import DutyServices, NewShift, RosterDraft
from playbooks.service.duty.documents import roster_draft
from secops.console.detectors.alerts import SEVERITIES, severity_cell
from secops.console.parts import Desk, get_page, post_page, version_of, whole_number
from secops.console.playbooks.duty_week import DAYS, monday_of, week_picture
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_minute
from secops.kernel.clock import DAY
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import CHANNEL_READ, DUTY_READ, DUTY_SERVE, ROSTER_MANAGE
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

STATES: Final = {
    "open": N_("呼叫中"),
    "exhausted": N_("无人响应"),
    "acknowledged": N_("已确认"),
}
BADGES: Final = {"open": "warn", "exhausted": "bad", "acknowledged": "good"}
_COLUMNS: Final = (
    Column("created", N_("时间")),
    Column("title", N_("标题")),
    Column("severity", N_("级别")),
    Column("state", N_("状态")),
    Column("by", N_("确认人")),
)
_WEEKS: Final = 520
_MAX_LINES: Final = 100


@dataclass(frozen=True, slots=True)
class _Pages:
    desk: Desk

    @property
    def _duty(self) -> DutyServices:
        return self.desk.parts.playbooks.duty

    def show_duty(self, request: Request) -> Response:
        """Show every roster with who is on duty now."""
        return self.desk.page(
            request,
            "duty/rosters.html",
            views=self._duty.rosters.who_is_on_duty(request.caller),
            names=_names,
            policy="\n".join(f"{to}+{after}" for to, after in RosterDraft("", ()).policy),
            may_manage=request.caller.may(ROSTER_MANAGE),
        )

    def create_roster(self, request: Request) -> Response:
        """Make a roster."""
        made = self._duty.rosters.create_roster(request.caller, _draft(request))
        return redirect(f"/duty/rosters/{made.id}")

    def show_roster(self, request: Request) -> Response:
        """Show a week of a roster, its holes, swaps and policy."""
        caller, roster_id = request.caller, request.args["roster_id"]
        week = whole_number(request.query.get("week", "").removeprefix("-"), 3) or 0
        week = min(week, _WEEKS) * (-1 if request.query.get("week", "").startswith("-") else 1)
        monday = monday_of(self.desk.parts.clock.now()) + week * DAYS * DAY
        view = self._duty.rosters.show_roster(caller, roster_id, monday, DAYS)
        channels = {}
        if caller.may(CHANNEL_READ):
            found = self.desk.parts.playbooks.notifications.channels.list_channels(caller)
            channels = {one.id: one.name for one in found}
        return self.desk.page(
            request,
            "duty/roster.html",
            view=view,
            roster=view.roster,
            names=_names(view.roster),
            channels=channels,
            picture=week_picture(monday, view.shifts),
            week=week,
            receivers=RECEIVERS,
            members_text=_member_lines(view.roster, channels),
            leads_text=" ".join(one.name for one in view.roster.members if one.lead),
            policy_text=_policy_lines(view.roster.policy),
            may_manage=caller.may(ROSTER_MANAGE),
            may_serve=caller.may(DUTY_SERVE) and view.roster.member(caller.id) is not None,
            me=caller.id,
        )

    def change_roster(self, request: Request) -> Response:
        """Replace a roster's members and policy."""
        roster_id = request.args["roster_id"]
        self._duty.rosters.change_roster(
            request.caller, roster_id, _draft(request), version=version_of(request)
        )
        return redirect(f"/duty/rosters/{roster_id}")

    def add_shift(self, request: Request) -> Response:
        """Plan a shift; times are Beijing's."""
        roster_id, form = request.args["roster_id"], request.form
        new = NewShift(
            local_minute(form.get("starts_at", "")),
            local_minute(form.get("ends_at", "")),
            form.get("primary", ""),
            form.get("deputy", ""),
        )
        self._duty.shifts.add_shift(request.caller, roster_id, new)
        return redirect(f"/duty/rosters/{roster_id}")

    def remove_shift(self, request: Request) -> Response:
        """Remove a shift."""
        self._duty.shifts.remove_shift(request.caller, request.args["shift_id"])
        return redirect(f"/duty/rosters/{request.args['roster_id']}")

    def ask_swap(self, request: Request) -> Response:
        """Ask to give a place, or to take it."""
        form = request.form
        self._duty.shifts.ask_swap(
            request.caller,
            request.args["shift_id"],
            form.get("place", ""),
            form.get("other", ""),
        )
        return redirect(f"/duty/rosters/{request.args['roster_id']}")

    def answer_swap(self, request: Request) -> Response:
        """Agree, decline or withdraw."""
        decision = request.form.get("decision")
        if decision not in ("agree", "decline"):
            raise Invalid("decide: agree or decline")
        swap_id = request.args["swap_id"]
        self._duty.shifts.answer_swap(request.caller, swap_id, agree=decision == "agree")
        return redirect(f"/duty/rosters/{request.args['roster_id']}")


@dataclass(frozen=True, slots=True)
class _Calls:
    desk: Desk

    @property
    def _duty(self) -> DutyServices:
        return self.desk.parts.playbooks.duty

    def show_calls(self, request: Request) -> Response:
        """Show what people were called for."""
        page = self._duty.escalations.list_escalations(request.caller, wanted_page(request))
        rows = [self._row(request, one) for one in page.items]
        table = Table(N_("值班呼叫"), _COLUMNS, rows, page.next)
        return self.desk.list_page(request, "duty/calls.html", table)

    def _row(self, request: Request, call: Escalation) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        mark = word(request, N_("【演练】")) if call.drill else ""
        return (
            Cell("", instant=call.created_at),
            Cell(mark + call.title, href=f"/duty/calls/{call.id}"),
            severity_cell(self.desk, request, call.severity),
            Cell(word(request, STATES[call.state]), badge=BADGES[call.state]),
            Cell(call.acknowledged_by or "—"),
        )

    def show_call(self, request: Request) -> Response:
        """Show one call, and let people of the roster acknowledge it."""
        caller = request.caller
        call = self._duty.escalations.show_escalation(caller, request.args["escalation_id"])
        view = self._duty.rosters.show_roster(caller, call.roster_id, days=1)
        mine = view.roster.member(caller.id) is not None and caller.may(DUTY_SERVE)
        return self.desk.page(
            request,
            "duty/call.html",
            call=call,
            roster=view.roster,
            names=_names(view.roster),
            state=STATES[call.state],
            badge=BADGES[call.state],
            level=SEVERITIES[call.severity],
            receivers=RECEIVERS,
            may_acknowledge=mine and call.state != "acknowledged",
        )

    def acknowledge(self, request: Request) -> Response:
        """Take care of it."""
        call_id = request.args["escalation_id"]
        self._duty.escalations.acknowledge_escalation(request.caller, call_id)
        return redirect(f"/duty/calls/{call_id}")


def _names(roster: Roster) -> dict[str, str]:
    return {one.account_id: one.name for one in roster.members}


def _member_lines(roster: Roster, channels: dict[str, str]) -> str:
    lines = [f"{m.name}={channels.get(m.channel_id, m.channel_id)}" for m in roster.members]
    return "\n".join(lines)


def _policy_lines(policy: Sequence[PolicyStep]) -> str:
    return "\n".join(f"{one.to}+{one.after}" for one in policy)


def _draft(request: Request) -> RosterDraft:
    form = request.form
    members = form.get("members", "").split()[: _MAX_LINES + 1]
    steps = form.get("policy", "").split()[: _MAX_LINES + 1]
    leads = form.get("leads", "").replace(",", " ").split()[: _MAX_LINES + 1]
    return roster_draft(form.get("name", "").strip(), members, leads, steps)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of duty."""
    here, calls = _Pages(desk), _Calls(desk)
    one, call = "/duty/rosters/<roster_id>", "/duty/calls/<escalation_id>"
    shift, swap = f"{one}/shifts/<shift_id>", f"{one}/swaps/<swap_id>"
    return (
        get_page("/duty", "show_duty", DUTY_READ, here.show_duty),
        post_page("/duty/rosters", "create_roster_form", ROSTER_MANAGE, here.create_roster),
        get_page(one, "show_roster_page", DUTY_READ, here.show_roster),
        post_page(one, "change_roster_form", ROSTER_MANAGE, here.change_roster),
        post_page(f"{one}/shifts", "add_shift_form", ROSTER_MANAGE, here.add_shift),
        post_page(f"{shift}/remove", "remove_shift_form", ROSTER_MANAGE, here.remove_shift),
        post_page(f"{shift}/swap", "ask_swap_form", DUTY_SERVE, here.ask_swap),
        post_page(swap, "answer_swap_form", DUTY_SERVE, here.answer_swap),
        get_page("/duty/calls", "show_calls", DUTY_READ, calls.show_calls),
        get_page(call, "show_call", DUTY_READ, calls.show_call),
        post_page(f"{call}/acknowledge", "acknowledge_form", DUTY_SERVE, calls.acknowledge),
    )
