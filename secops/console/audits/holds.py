"""Legal holds: which days of logs retention leaves alone; placing and lifting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.holds import LegalHold
from audits.service.holds import NewHold
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.access import FRESH_SECONDS
from secops.kernel.permissions.audits import LIFT_HOLD, PLACE_HOLD, READ_HOLDS
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_PAGE: Final = "/legal-holds"
_COLUMNS: Final = (
    Column("matter", N_("案由")),
    Column("since", N_("自")),
    Column("until", N_("至(不含)")),
    Column("reason", N_("理由")),
    Column("placed_at", N_("设立时间")),
    Column("placed_by", N_("设立人")),
    Column("state", N_("状态")),
    Column("id", N_("编号")),
)


@dataclass(frozen=True, slots=True)
class _Holds:
    desk: Desk

    def list_legal_holds(self, request: Request) -> Response:
        """Show holds, newest first, and the forms."""
        caller = request.caller
        page = self.desk.parts.audits.holds.list_legal_holds(caller, wanted_page(request))
        names = self.desk.account_names(request, [hold.placed_by for hold in page.items])
        table = Table(
            N_("证据保全"),
            _COLUMNS,
            [_row(hold, names.get(hold.placed_by, hold.placed_by)) for hold in page.items],
            page.next,
            N_("没有证据保全"),
        )
        others = [hold for hold in page.items if not hold.lifted_at and hold.placed_by != caller.id]
        return self.desk.list_page(
            request,
            "audits/holds.html",
            table,
            may_place=caller.may(PLACE_HOLD),
            liftable=others if caller.may(LIFT_HOLD) else [],
        )

    def place_legal_hold(self, request: Request) -> Response:
        """Keep days from now on."""
        form = request.form
        wanted = NewHold(*(form.get(n, "") for n in ("first_day", "last_day", "matter", "reason")))
        self.desk.parts.audits.holds.place_legal_hold(request.caller, wanted)
        return redirect(_PAGE)

    def lift_legal_hold(self, request: Request) -> Response:
        """End a hold that somebody else placed."""
        form = request.form
        self.desk.parts.audits.holds.lift_legal_hold(
            request.caller, form.get("hold", ""), form.get("reason", "")
        )
        return redirect(_PAGE)


def _row(hold: LegalHold, placed_by: str) -> tuple[Cell, ...]:
    lifted = bool(hold.lifted_at)
    return (
        Cell(hold.matter),
        Cell("", instant=hold.since),
        Cell("", instant=hold.until),
        Cell(hold.reason),
        Cell("", instant=hold.placed_at),
        Cell(placed_by),
        Cell(N_("已解除") if lifted else N_("保全中"), badge="" if lifted else "good"),
        Cell(hold.id),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the page."""
    here = _Holds(desk)
    return (
        get_page(_PAGE, "show_legal_holds", READ_HOLDS, here.list_legal_holds),
        post_page(_PAGE, "place_legal_hold_form", PLACE_HOLD, here.place_legal_hold),
        post_page(
            f"{_PAGE}/lifting",
            "lift_legal_hold_form",
            LIFT_HOLD,
            here.lift_legal_hold,
            fresh_seconds=FRESH_SECONDS,
        ),
    )
