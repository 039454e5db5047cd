"""Emergency accounts: the state of their seals, envelopes handed over, uses looked into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.errors import BreakGlassState, InvalidRequest, LastHolder, StaleChange
from iam.service.people.break_glass import SealedAccount, whole_password
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.approvals import NotPending, SelfApproval
from secops.kernel.catalogue import Text
from secops.kernel.errors import Forbidden, NotFound, SecopsError
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.iam import (
    BREAK_GLASS_APPROVE,
    BREAK_GLASS_READ,
    BREAK_GLASS_REVIEW,
    BREAK_GLASS_SEAL,
)
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("role", N_("角色")),
    Column("account", N_("账户")),
    Column("state", N_("状态")),
    Column("sealed", N_("封存时间")),
    Column("tested", N_("最近测试")),
    Column("opened", N_("启用时间")),
    Column("reviewed", N_("复核时间")),
)
_STATES: Final = {
    "half": (Text("待领取第二个信封", "second envelope waits"), "warn"),
    "sealed": (Text("已封存", "sealed"), "good"),
    "open": (Text("启用中", "open"), "bad"),
    "used": (Text("已使用,待复核", "used, not looked into"), "bad"),
    "reviewed": (Text("已复核,待重新封存", "looked into, to be sealed anew"), "warn"),
}
_SAID: Final = (
    BreakGlassState,
    Forbidden,
    InvalidRequest,
    LastHolder,
    NotFound,
    NotPending,
    SelfApproval,
    StaleChange,
)


@dataclass(frozen=True, slots=True)
class _BreakGlass:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show the seals and what may be done with them."""
        return self._show(request)

    def _show(self, request: Request, error: SecopsError | None = None) -> Response:
        caller = request.caller
        found = self.desk.parts.iam.break_glass.list_break_glass(caller)
        rows = [_row(each, request) for each in found]
        table = Table(N_("应急账户"), _COLUMNS, rows)
        if error is None and request.query.get("format") in ("csv", "xlsx"):
            return self.desk.list_page(request, "iam/break_glass.html", table)
        return self.desk.page(
            request,
            "iam/break_glass.html",
            error.status if error else 200,
            table=view_table(request, table),
            found=found,
            kinds={role: ROLES[role] for role in sorted(ADMINISTRATORS)},
            may_seal=caller.may(BREAK_GLASS_SEAL),
            may_collect=caller.may(BREAK_GLASS_APPROVE),
            may_review=caller.may(BREAK_GLASS_REVIEW),
            error=error,
        )

    def request_seal(self, request: Request) -> Response:
        """Ask for a seal, new or anew, or for its end; it is decided among the approvals."""
        form, service = request.form, self.desk.parts.iam.break_glass
        try:
            service.request_break_glass(
                request.caller,
                form.get("role", ""),
                form.get("reason", ""),
                retire=form.get("do") == "retire",
            )
        except _SAID as error:
            return self._show(request, error)
        return redirect("/approvals")

    def create(self, request: Request) -> Response:
        """Seal it as approved, or end it; show the first envelope, once."""
        form, service = request.form, self.desk.parts.iam.break_glass
        given = form.get("request", "").strip()
        try:
            if form.get("do") == "retire":
                service.retire_break_glass(request.caller, given)
                return redirect("/break-glass")
            envelope = service.create_break_glass(request.caller, given)
        except _SAID as error:
            return self._show(request, error)
        return self.desk.page(request, "iam/envelope.html", envelope=envelope, number=1)

    def collect(self, request: Request) -> Response:
        """Show the second envelope, once."""
        service = self.desk.parts.iam.break_glass
        try:
            envelope = service.collect_break_glass(request.caller, request.args["role"])
        except _SAID as error:
            return self._show(request, error)
        return self.desk.page(request, "iam/envelope.html", envelope=envelope, number=2)

    def test(self, request: Request) -> Response:
        """Check both halves without breaking the seal."""
        form, service = request.form, self.desk.parts.iam.break_glass
        password = whole_password(form.get("first", "").strip(), form.get("second", "").strip())
        try:
            service.test_break_glass(request.caller, request.args["role"], password)
        except _SAID as error:
            return self._show(request, error)
        return redirect("/break-glass")

    def review(self, request: Request) -> Response:
        """Note that audit looked into a use."""
        service, note = self.desk.parts.iam.break_glass, request.form.get("note", "")
        try:
            service.review_break_glass(request.caller, request.args["role"], note)
        except _SAID as error:
            return self._show(request, error)
        return redirect("/break-glass")


def _row(one: SealedAccount, request: Request) -> tuple[Cell, ...]:
    said, badge = _STATES[one.state]
    sealed = one.sealed
    times = (sealed.sealed_at, sealed.tested_at, sealed.opened_at, sealed.reviewed_at)
    return (
        Cell(ROLES[one.role].into(request.language)),
        Cell(one.name),
        Cell(said.into(request.language), badge=badge),
        *(Cell("", instant=time) if time else Cell("—") for time in times),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of emergency accounts."""
    here = _BreakGlass(desk)
    base, one = "/break-glass", "/break-glass/<role>"
    strong = {"level": 2}
    return (
        get_page(base, "show_break_glass", BREAK_GLASS_READ, here.show),
        post_page(base, "request_break_glass_form", BREAK_GLASS_SEAL, here.request_seal, **strong),
        post_page(
            f"{base}/seal", "create_break_glass_form", BREAK_GLASS_SEAL, here.create, **strong
        ),
        post_page(
            f"{one}/collect",
            "collect_break_glass_form",
            BREAK_GLASS_APPROVE,
            here.collect,
            **strong,
        ),
        post_page(f"{one}/test", "test_break_glass_form", BREAK_GLASS_SEAL, here.test, **strong),
        post_page(
            f"{one}/review", "review_break_glass_form", BREAK_GLASS_REVIEW, here.review, **strong
        ),
    )
