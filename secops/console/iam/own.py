"""``/me``: one's own sessions, sign-ins, mandates, requests and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from secops.console.iam.approvals import changes_table
from secops.console.iam.words import ACCOUNT_KINDS
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.roles import ADMINISTRATORS, AUDITOR
from secops.web.messages import JSON, Request, Response, file_response, redirect
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("everybody sees their own things")
_HISTORY: Final = (
    Column("at", N_("登录时间")),
    Column("address", N_("地址")),
    Column("factors", N_("因素")),
    Column("ended", N_("结束时间")),
)


@dataclass(frozen=True, slots=True)
class _Own:
    desk: Desk

    def show_me(self, request: Request) -> Response:
        """Show the reader to themselves."""
        iam, caller = self.desk.parts.iam, request.caller
        own, power = iam.power.own.look(caller), iam.power
        kind = own.account.kind
        acting = power.acting.acting_of(caller)
        titles = dict(power.changes.titles())
        changes = changes_table(list(power.changes.own_changes(caller)), titles, request.language)
        return self.desk.page(
            request,
            "iam/me.html",
            own=own,
            kind=ACCOUNT_KINDS.get(kind, Text(kind, kind)),
            held={role: ROLES[role] for role in sorted(own.roles)},
            sessions=iam.sessions.own_sessions(caller),
            history=view_table(request, self._history(request)),
            choices=power.acting.choices(caller),
            acting=acting,
            requests=view_table(request, changes),
            lendable={r: t for r, t in ROLES.items() if r not in own.roles and r != AUDITOR},
            administrators=sorted(ADMINISTRATORS),
        )

    def _history(self, request: Request) -> Table:
        history = self.desk.parts.iam.sessions.own_history(request.caller)
        rows = [
            (
                Cell("", instant=session.auth_time),
                Cell(session.address),
                Cell(" ".join(session.amr)),
                Cell("—") if session.ended_at is None else Cell("", instant=session.ended_at),
            )
            for session in history
        ]
        return Table(N_("登录记录"), _HISTORY, rows, empty=N_("没有登录记录"))

    def end_session(self, request: Request) -> Response:
        """End one of the reader's own sessions."""
        self.desk.parts.iam.sessions.end_own(request.caller, request.args["session_id"])
        return redirect("/me")

    def end_others(self, request: Request) -> Response:
        """End every session of the reader's but this one."""
        self.desk.parts.iam.sessions.end_others(request.caller)
        return redirect("/me")

    def act_for(self, request: Request) -> Response:
        """Act for a legal person from now on, or for oneself again."""
        mandate = request.form.get("mandate", "") or None
        self.desk.parts.iam.power.acting.act_for(request.caller, mandate)
        return redirect("/me")

    def end_mandate(self, request: Request) -> Response:
        """End a mandate of one's own, or that one granted."""
        mandate = request.args["mandate_id"]
        self.desk.parts.iam.power.mandates.revoke_mandate(request.caller, mandate)
        return redirect("/me")

    def export_own(self, request: Request) -> Response:
        """Return everything kept about the reader as a file."""
        export = self.desk.parts.iam.power.own.export_own(request.caller)
        return file_response(orjson.dumps(export, option=orjson.OPT_INDENT_2), JSON, "me.json")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of one's own page."""
    here = _Own(desk)
    return (
        get_page("/me", "show_me", _OWN, here.show_me),
        get_page("/me/export", "export_own_page", _OWN, here.export_own),
        post_page("/me/sessions/end-others", "end_other_sessions", _OWN, here.end_others),
        post_page("/me/sessions/<session_id>/end", "end_own_session", _OWN, here.end_session),
        post_page("/me/acting", "act_for_form", _OWN, here.act_for),
        post_page("/me/mandates/<mandate_id>/end", "end_own_mandate_form", _OWN, here.end_mandate),
    )
