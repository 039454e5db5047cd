"""The tree of organisations: down by links, up by the way shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import (
    ORGANISATION_CHANGE,
    ORGANISATION_CREATE,
    ORGANISATION_READ,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("机构")),
    Column("state", N_("状态")),
    Column("created", N_("创建时间")),
)


@dataclass(frozen=True, slots=True)
class _Organisations:
    desk: Desk

    def list_organisations(self, request: Request) -> Response:
        """Show what stands right under the reader's own organisation, or what was searched."""
        text = request.query.get("q", "")
        parent = "" if text else request.caller.org_id
        table = self._table(request, parent, text)
        return self.desk.list_page(
            request,
            "iam/organisations.html",
            table,
            text=text,
            own=request.caller.org_id,
            may_create=request.caller.may(ORGANISATION_CREATE),
        )

    def show_organisation(self, request: Request) -> Response:
        """Show one, the way down to it and what stands right under it."""
        org_id, caller = request.args["organisation_id"], request.caller
        view = self.desk.parts.iam.power.organisations.get_organisation(caller, org_id)
        closed = view.organisation.closed_at is not None
        return self.desk.list_page(
            request,
            "iam/organisation.html",
            self._table(request, org_id, ""),
            view=view,
            may_create=caller.may(ORGANISATION_CREATE) and not closed,
            may_change=caller.may(ORGANISATION_CHANGE) and org_id != caller.org_id and not closed,
        )

    def _table(self, request: Request, parent: str, text: str) -> Table:
        page = self.desk.parts.iam.power.organisations.list_organisations(
            request.caller, wanted_page(request), parent_id=parent, text=text
        )
        word = self.desk.renderer.word
        rows = [
            (
                Cell(each.name, href=f"/organisations/{each.id}"),
                Cell(
                    word(request, N_("有效") if each.closed_at is None else N_("已撤销")),
                    badge="good" if each.closed_at is None else "warn",
                ),
                Cell("", instant=each.created_at),
            )
            for each in page.items
        ]
        return Table(N_("下级机构"), _COLUMNS, rows, page.next, empty=N_("没有下级机构"))

    def create_organisation(self, request: Request) -> Response:
        """Register one under another."""
        form = request.form
        made = self.desk.parts.iam.power.organisations.create_organisation(
            request.caller, form.get("name", ""), form.get("parent", "") or None
        )
        return redirect(f"/organisations/{made.id}")

    def change_organisation(self, request: Request) -> Response:
        """Rename, move or close one."""
        org_id, form = request.args["organisation_id"], request.form
        service, do = self.desk.parts.iam.power.organisations, form.get("do")
        if do == "rename":
            service.rename_organisation(request.caller, org_id, form.get("name", ""))
        elif do == "move":
            service.move_organisation(request.caller, org_id, form.get("parent", "").strip())
        elif do == "close":
            service.close_organisation(request.caller, org_id)
        else:
            raise Invalid("an organisation is renamed, moved or closed")
        return redirect(f"/organisations/{org_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the organisations' pages."""
    here = _Organisations(desk)
    one = "/organisations/<organisation_id>"
    return (
        get_page(
            "/organisations", "show_organisations", ORGANISATION_READ, here.list_organisations
        ),
        post_page(
            "/organisations",
            "create_organisation_form",
            ORGANISATION_CREATE,
            here.create_organisation,
        ),
        get_page(one, "show_organisation", ORGANISATION_READ, here.show_organisation),
        post_page(one, "change_organisation_form", ORGANISATION_CHANGE, here.change_organisation),
    )
