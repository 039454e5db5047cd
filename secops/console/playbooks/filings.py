"""Statutory clocks on an incident's page: how long they still run, what was filed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from playbooks.models.filings import DUTIES, Duty
from playbooks.models.incidents import Clock
from playbooks.models.views import IncidentView
from playbooks.service import NewFiling
from secops.console.parts import Desk, post_page
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, HOUR, MINUTE
from secops.kernel.permissions.playbooks import INCIDENT_CHANGE
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

DECLARED: Final = "defect_report"
LEVELS: Final = {
    "especially_major": N_("特别重大"),
    "major": N_("重大"),
    "considerable": N_("较大"),
    "ordinary": N_("一般"),
}


@dataclass(frozen=True, slots=True)
class ShownClock:
    """A clock, its name, and in words how much of it is left or gone."""

    clock: Clock
    name: Text
    left: Text
    badge: str


_OVER: Final = Text("超过", "over")
_LEFT: Final = Text("剩余", "left")
_DAYS: Final = Text("天", "d")
_HOURS: Final = Text("小时", "h")
_MINUTES: Final = Text("分", "min")


def countdown(clock: Clock, now: int) -> Text:
    """Return in words how long ``clock`` runs on from ``now``, or since when it is over."""
    if clock.filed_at is not None:
        return Text("已报送,超时", "filed late") if clock.late else Text("已报送", "filed")
    if clock.due_at is None:
        return Text("及时", "in time")
    span = _length(abs(clock.due_at - now))
    side = _OVER if now > clock.due_at else _LEFT
    return Text(f"{side.zh} {span.zh}", f"{span.en} {side.en}")


def _length(span: int) -> Text:
    days, rest = divmod(span, DAY)
    hours, minutes = rest // HOUR, rest % HOUR // MINUTE
    parts = ((days, _DAYS), (hours, _HOURS)) if days else ((hours, _HOURS), (minutes, _MINUTES))
    return Text(
        " ".join(f"{count} {unit.zh}" for count, unit in parts),
        " ".join(f"{count} {unit.en}" for count, unit in parts),
    )


def shown_clocks(view: IncidentView) -> list[ShownClock]:
    """Return the clocks of ``view`` as its page shows them."""
    return [
        ShownClock(
            clock,
            DUTIES[cast("Duty", clock.name)],
            countdown(clock, view.seen_at),
            _badge(clock, view.seen_at),
        )
        for clock in view.clocks
    ]


def _badge(clock: Clock, now: int) -> str:
    if clock.overdue or clock.late:
        return "bad"
    if clock.filed_at is not None:
        return "good"
    return "warn" if clock.due_at is not None and clock.due_at - now < HOUR else ""


@dataclass(frozen=True, slots=True)
class _Filings:
    desk: Desk

    def declare_duty(self, request: Request) -> Response:
        """Start the clock of a duty that a person judges to apply."""
        incident_id = request.args["incident_id"]
        duty = request.form.get("duty", "")
        self.desk.parts.playbooks.filings.declare_duty(request.caller, incident_id, duty)
        return redirect(f"/incidents/{incident_id}")

    def file_report(self, request: Request) -> Response:
        """Enter that a report was sent, now."""
        incident_id, form = request.args["incident_id"], request.form
        new = NewFiling(
            duty=form.get("duty", ""),
            filed_to=form.get("filed_to", ""),
            reference=form.get("reference", ""),
        )
        self.desk.parts.playbooks.filings.file_report(request.caller, incident_id, new)
        return redirect(f"/incidents/{incident_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the forms."""
    here = _Filings(desk)
    one = "/incidents/<incident_id>"
    return (
        post_page(f"{one}/duties", "declare_duty_form", INCIDENT_CHANGE, here.declare_duty),
        post_page(f"{one}/filings", "file_report_form", INCIDENT_CHANGE, here.file_report),
    )
