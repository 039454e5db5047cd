"""What people allowed applications: one's own, and for administrators everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.models.consents import ConsentView
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.iam import SESSION_READ, SESSION_REVOKE
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("everybody sees their own things")
_COLUMNS: Final = (
    Column("account", N_("账户")),
    Column("client", N_("应用")),
    Column("organisation", N_("所属机构")),
    Column("scopes", N_("授权内容")),
    Column("granted", N_("同意时间")),
    Column("expires", N_("有效至")),
)


@dataclass(frozen=True, slots=True)
class _Consents:
    desk: Desk

    def show_own(self, request: Request) -> Response:
        """Show what the reader allows, each with a way back."""
        own = self.desk.parts.iam.consents.own_consents(request.caller)
        return self.desk.page(request, "iam/own_consents.html", consents=own)

    def revoke_own(self, request: Request) -> Response:
        """Take back one of the reader's own."""
        self.desk.parts.iam.consents.revoke_own_consent(request.caller, request.args["consent"])
        return redirect("/me/consents")

    def show_all(self, request: Request) -> Response:
        """Show everybody's within reach."""
        caller, account = request.caller, request.query.get("account") or None
        page = self.desk.parts.iam.consents.list_consents(caller, wanted_page(request), account)
        return self.desk.list_page(
            request,
            "iam/consents.html",
            Table(N_("授权"), _COLUMNS, _rows(request, page.items), page.next),
            consents=page.items,
            may_revoke=caller.may(SESSION_REVOKE),
        )

    def revoke(self, request: Request) -> Response:
        """Take back somebody's."""
        self.desk.parts.iam.consents.revoke_consent(
            request.caller, request.args["consent"], request.form.get("reason", "")
        )
        return redirect("/consents")


def _rows(request: Request, views: Sequence[ConsentView]) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(view.account_name),
            Cell(f"{view.client_name} ({view.consent.client_id})"),
            Cell(view.organisation),
            Cell("; ".join(one.title.into(request.language) for one in view.scopes)),
            Cell("", instant=view.consent.granted_at),
            Cell("", instant=view.consent.expires_at),
        )
        for view in views
    ]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the consent pages."""
    here = _Consents(desk)
    own, everybody = "/me/consents", "/consents"
    return (
        get_page(own, "show_own_consents", _OWN, here.show_own),
        post_page(f"{own}/<consent>/revoke", "revoke_own_consent_form", _OWN, here.revoke_own),
        get_page(everybody, "show_consents", SESSION_READ, here.show_all),
        post_page(
            f"{everybody}/<consent>/revoke", "revoke_consent_form", SESSION_REVOKE, here.revoke
        ),
    )
