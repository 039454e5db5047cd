"""待审批: what waits for a second person, each change field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from iam.models.changes import ChangeRequest, NewChange
from secops.console.iam.words import CHANGE_STATES, FIELDS
from secops.console.parts import Desk, get_page, post_page, wanted_page, whole_number
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.catalogue import Language, Text
from secops.kernel.errors import Invalid
from secops.kernel.permissions import GRANTS, ROLES
from secops.kernel.permissions.iam import CHANGE_READ, PRIVILEGE_REQUEST
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route, SignedIn

_ONE: Final = SignedIn("requesters see their own; everybody else needs the right to see changes")
_COLUMNS: Final = (
    Column("kind", N_("变更")),
    Column("target", N_("对象")),
    Column("reason", N_("理由")),
    Column("state", N_("状态")),
    Column("requested", N_("申请时间")),
    Column("expires", N_("有效至")),
)
_OTHER: Final = (
    Column("kind", N_("事项")),
    Column("subject", N_("对象")),
    Column("reason", N_("理由")),
    Column("right", N_("审批权限")),
    Column("requested", N_("申请时间")),
    Column("expires", N_("有效至")),
)


def changes_table(
    changes: list[ChangeRequest], titles: dict[str, Text], language: Language
) -> Table:
    """Return change requests as a table."""
    rows = [
        (
            Cell(
                titles.get(change.kind, Text(change.kind, change.kind)).into(language),
                href=f"/approvals/{change.id}",
            ),
            Cell(change.target),
            Cell(change.reason),
            Cell(
                CHANGE_STATES[change.state].into(language),
                badge={"pending": "warn", "applied": "good"}.get(change.state, ""),
            ),
            Cell("", instant=change.requested_at),
            Cell("", instant=change.expires_at),
        )
        for change in changes
    ]
    return Table(N_("变更申请"), _COLUMNS, rows, empty=N_("没有变更申请"))


@dataclass(frozen=True, slots=True)
class _Approvals:
    desk: Desk

    def show_approvals(self, request: Request) -> Response:
        """Show what waits: changes with their differences a click away, and everything else."""
        changes = self.desk.parts.iam.power.changes
        pending = request.query.get("state", "pending") == "pending"
        page = changes.list_changes(request.caller, wanted_page(request), pending=pending)
        table = changes_table(list(page.items), dict(changes.titles()), request.language)
        table = Table(table.caption, table.columns, table.rows, page.next, table.empty)
        waiting = changes.other_approvals(request.caller)
        titles = {grant.permission: grant.title for grant in GRANTS}
        rows = [
            (
                Cell(each.kind),
                Cell(each.subject),
                Cell(each.reason),
                Cell(titles[each.permission].into(request.language)),
                Cell("", instant=each.requested_at),
                Cell("", instant=each.expires_at),
            )
            for each in waiting
        ]
        others = Table(N_("其他待审批事项"), _OTHER, rows, empty=N_("没有其他待审批事项"))
        return self.desk.list_page(
            request,
            "iam/approvals.html",
            table,
            others=view_table(request, others),
            pending=pending,
        )

    def show_change(self, request: Request) -> Response:
        """Show one request with each field before and after."""
        changes = self.desk.parts.iam.power.changes
        view = changes.view_change(request.caller, request.args["change_id"])
        language = request.language
        kind = view.request.kind
        return self.desk.page(
            request,
            "iam/change.html",
            view=view,
            change=view.request,
            title=changes.titles().get(kind, Text(kind, kind)),
            state=CHANGE_STATES[view.request.state],
            differences=[
                (
                    FIELDS.get(each.field, Text(each.field, each.field)),
                    _side(each.before, each.after, language),
                    _side(each.after, each.before, language),
                    each.changed,
                )
                for each in view.differences
            ],
        )

    def decide(self, request: Request) -> Response:
        """Approve, reject or withdraw it."""
        change_id, form = request.args["change_id"], request.form
        changes, reason = self.desk.parts.iam.power.changes, form.get("reason", "")
        do = form.get("do")
        if do == "approve":
            changes.approve_change(request.caller, change_id, reason)
        elif do == "reject":
            changes.reject_change(request.caller, change_id, reason)
        elif do == "withdraw":
            changes.withdraw_change(request.caller, change_id)
        else:
            raise Invalid("a request is approved, rejected or withdrawn")
        return redirect(f"/approvals/{change_id}")

    def ask_privilege(self, request: Request) -> Response:
        """Ask to be lent a role for some minutes."""
        form, caller = request.form, request.caller
        minutes = whole_number(form.get("minutes", ""), len("1440"))
        if minutes is None:
            raise Invalid("minutes are a number")
        kind = "roles.emergency" if form.get("emergency") == "1" else "roles.lend"
        after = {"role": form.get("role", ""), "minutes": minutes}
        new = NewChange(kind, f"account:{caller.id}", after, form.get("reason", ""))
        change = self.desk.parts.iam.power.changes.request_change(caller, new)
        return redirect(f"/approvals/{change.id}")


def _side(value: Any, other: Any, language: Language) -> list[tuple[str, bool]]:
    """Return one side of a difference in parts, each with whether the other side has it too."""
    if not isinstance(value, list):
        return [(_words(value, language), value == other)]
    kept = other if isinstance(other, list) else []
    return [(_words(each, language), each in kept) for each in value]


def _words(value: Any, language: Language) -> str:
    """Return a value of a change as people read it."""
    if value is None:
        return "—"
    if isinstance(value, list):
        return "、".join(_words(each, language) for each in value) or "—"
    text = str(value)
    return ROLES[text].into(language) if text in ROLES else text


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages about what waits."""
    here = _Approvals(desk)
    return (
        get_page("/approvals", "show_approvals", CHANGE_READ, here.show_approvals),
        get_page("/approvals/<change_id>", "show_change", _ONE, here.show_change),
        post_page("/approvals/<change_id>", "decide_change_form", _ONE, here.decide),
        post_page("/me/privileges", "ask_privilege_form", PRIVILEGE_REQUEST, here.ask_privilege),
    )
