"""``/``: my workplace, and ``/apps``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models.early_warnings import WARNING_COLOURS
from secops.console.parts import Desk, get_page
from secops.console.playbooks.early_warnings import BADGES
from secops.console.render import visible
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.permissions import GRANTS
from secops.web.messages import Request, Response
from secops.web.routes import Route, SignedIn

_OWN: Final = SignedIn("everybody sees their own things")


@dataclass(frozen=True, slots=True)
class _Home:
    desk: Desk

    def show(self, request: Request) -> Response:
        """Show what the reader may do, and their sessions."""
        actor = request.caller
        sessions = self.desk.parts.iam.sessions.own_sessions(actor)
        rows = [
            (
                Cell(session.id, badge="info" if session.id == actor.session_id else ""),
                Cell("", instant=session.auth_time),
                Cell("", instant=session.last_seen),
                Cell(session.address),
                Cell(" ".join(session.amr)),
            )
            for session in sessions
        ]
        columns = (
            Column("id", N_("会话")),
            Column("auth_time", N_("登录时间")),
            Column("last_seen", N_("最近使用")),
            Column("address", N_("地址")),
            Column("amr", N_("因素")),
        )
        table = Table(N_("我的会话"), columns, rows)
        return self.desk.page(
            request,
            "home.html",
            tiles=[e for group in visible(request) for e in group.entries if e.href != "/"],
            sessions=view_table(request, table),
            ids=[session.id for session in sessions],
            warnings=self.desk.parts.playbooks.notices.warning_views.warnings_in_force(actor),
            colours=WARNING_COLOURS,
            badges=BADGES,
            mine=[grant for grant in GRANTS if actor.may(grant.permission)],
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the workplace."""
    here = _Home(desk)
    return (get_page("/", "show_home", _OWN, here.show),)
