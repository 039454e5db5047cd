"""待审批: what waits for a second person, each change field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

from iam.models.changes import ChangeRequest, FieldDifference, NewChange
from secops.console.iam.words import CHANGE_STATES, FIELDS, NO, VALUES, YES
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.render import beijing_time
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.approvals import Approval
from secops.kernel.catalogue import Language, Text
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions import GRANTS, ROLES
from secops.kernel.permissions.iam import CHANGE_READ, PRIVILEGE_REQUEST
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
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


_BADGES: Final = {"pending": "warn", "approved": "info", "applied": "good"}
_OTHER_PLACES: Final = {
    "seal": "/seals/applications/{}",
    "seal_use": "/seals/use-requests/{}",
    "seal_destruction": "/seals/{}",
    "key_destruction": "/keys",
    "kms.rekey": "/key-pool#rekey",
    "ecertificate_template": "/ecertificate-templates",
    "openpgp.partner": "/openpgp",
    "certificate": "/certificates",
    "trust_anchor": "/trust-anchors",
    "playbooks.run": "/runs",
    "detectors.exception": "/exceptions",
    "notice": "/notices/{}",
    "audits.waiver": "/waivers/{}",
    "audits.risk_acceptance": "/risks/{}",
    "early_warning": "/early-warnings/{}",
}


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
            Cell(CHANGE_STATES[change.state].into(language), badge=_BADGES.get(change.state, "")),
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
                Cell(each.kind, href=_other_place(each)),
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
        kind = view.request.kind
        return self.desk.page(
            request,
            "iam/change.html",
            view=view,
            change=view.request,
            title=changes.titles().get(kind, Text(kind, kind)),
            state=CHANGE_STATES[view.request.state],
            place=_place(view.request),
            differences=[_line(each, request.language) for each in view.differences],
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


@dataclass(frozen=True, slots=True)
class _Line:
    """A field of a change as people read it; each part says whether the other side has it too."""

    title: Text
    before: list[tuple[str, bool]]
    after: list[tuple[str, bool]]
    changed: bool
    written: bool
    """Whether it is a text of several lines."""


def _line(each: FieldDifference, language: Language) -> _Line:
    title = FIELDS.get(each.field, Text(each.field, each.field))
    written = any(isinstance(v, str) and "\n" in v for v in (each.before, each.after))
    side = _text_side if written else _side
    read = _READ.get(each.field, _plain)

    def words(value: Any) -> str:
        return "—" if value is None or value in ("", []) else read(value, language)

    before, after = side(each.before, each.after, words), side(each.after, each.before, words)
    return _Line(title, before, after, each.changed, written)


def _text_side(value: Any, other: Any, words: Callable[[Any], str]) -> list[tuple[str, bool]]:
    """Return a text line by line."""
    if not isinstance(value, str):
        return _side(value, other, words)
    mine = value.splitlines()
    others = other.splitlines() if isinstance(other, str) else []
    blocks = SequenceMatcher(None, mine, others, autojunk=False).get_matching_blocks()
    kept = {index for block in blocks for index in range(block.a, block.a + block.size)}
    return [(line, index in kept) for index, line in enumerate(mine)]


def _side(value: Any, other: Any, words: Callable[[Any], str]) -> list[tuple[str, bool]]:
    """Return one side of a difference in parts; what is not there is not marked."""
    if not isinstance(value, list) or not value:
        return [(words(value), value == other or value is None)]
    kept = other if isinstance(other, list) else []
    return [(words(each), each in kept) for each in value]


def _plain(value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return (YES if value else NO).into(language)
    if isinstance(value, list):
        return "、".join(_plain(each, language) for each in value)
    return str(value)


def _role(value: Any, language: Language) -> str:
    return ROLES[value].into(language) if value in ROLES else str(value)


def _state(value: Any, language: Language) -> str:
    return VALUES[value].into(language) if value in VALUES else str(value)


def _time(value: Any, _language: Language) -> str:
    return beijing_time(from_rfc3339(str(value)))


_READ: Final[Mapping[str, Callable[[Any, Language], str]]] = {
    "role": _role,
    "roles": _role,
    "state": _state,
    "lock_state": _state,
    "password_set_at": _time,
    "until": _time,
    "certificate.not_after": _time,
}
"""How fields are worded: a name that happens to be a role's is still a name."""


def _other_place(approval: Approval) -> str:
    """Return the page where it is decided, empty where there is none."""
    identifier = approval.subject.partition(":")[2]
    return _OTHER_PLACES.get(approval.kind, "").format(identifier)


def _place(change: ChangeRequest) -> str:
    """Return the page of what a change is about, empty where there is none."""
    kind, _, identifier = change.target.partition(":")
    return {
        "account": f"/accounts/{identifier}",
        "client": f"/applications/requests/{change.id}",
        "lock": f"/locks/{identifier}",
        "policy": f"/policies/{identifier}",
        "upstream": "/upstreams",
    }.get(kind, "")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages about what waits."""
    here = _Approvals(desk)
    return (
        get_page("/approvals", "show_approvals", CHANGE_READ, here.show_approvals),
        get_page("/approvals/<change_id>", "show_change", _ONE, here.show_change),
        post_page("/approvals/<change_id>", "decide_change_form", _ONE, here.decide, level=2),
        post_page("/me/privileges", "ask_privilege_form", PRIVILEGE_REQUEST, here.ask_privilege),
    )
