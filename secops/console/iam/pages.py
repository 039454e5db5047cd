"""Accounts: created powerless by one administrator, given roles by another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.models.accounts import NewAccount
from secops.console.parts import Desk, get_page, post_page, wanted_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_LOCK,
    ACCOUNT_READ,
    ACCOUNT_UNLOCK,
    ROLE_ASSIGN,
    SESSION_REVOKE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

ACCOUNT_STATES: Final = {
    "pending": Text("待启用", "pending"),
    "active": Text("有效", "active"),
    "locked": Text("已锁定", "locked"),
    "closed": Text("已注销", "closed"),
}
_COLUMNS: Final = (
    Column("name", N_("账户")),
    Column("state", N_("状态")),
    Column("roles", N_("角色")),
    Column("created", N_("创建时间")),
    Column("last", N_("最近登录")),
)


@dataclass(frozen=True, slots=True)
class _Accounts:
    desk: Desk

    def list_accounts(self, request: Request) -> Response:
        """Show accounts with their roles."""
        caller = request.caller
        page, roles = self.desk.parts.iam.accounts.list_accounts(caller, wanted_page(request))
        rows = []
        for account in page.items:
            state = ACCOUNT_STATES.get(account.state, Text(account.state, account.state))
            held = sorted(roles.get(account.id, frozenset()))
            rows.append(
                (
                    Cell(account.name, href=f"/accounts/{account.id}"),
                    Cell(
                        state.into(request.language),
                        badge="good" if account.state == "active" else "warn",
                    ),
                    Cell(", ".join(ROLES[role].into(request.language) for role in held)),
                    Cell("", instant=account.created_at),
                    Cell("—")
                    if account.last_sign_in is None
                    else Cell("", instant=account.last_sign_in),
                )
            )
        table = Table(N_("账户"), _COLUMNS, rows, page.next)
        may = caller.may(ACCOUNT_CREATE)
        return self.desk.list_page(request, "iam/accounts.html", table, may_create=may)

    def create_account(self, request: Request) -> Response:
        """Create an account without any role and show its enrolment, once."""
        name = request.form.get("name", "").strip()
        account, enrolment = self.desk.parts.iam.accounts.create_account(
            request.caller, NewAccount(name)
        )
        return self.desk.page(request, "iam/created.html", account=account, enrolment=enrolment)

    def show_account(self, request: Request) -> Response:
        """Show one account and what the reader may do with it."""
        iam, caller = self.desk.parts.iam, request.caller
        account = iam.accounts.get_account(caller, request.args["account_id"])
        roles = iam.roles.list_roles(caller).get(account.id, frozenset())
        return self.desk.page(
            request,
            "iam/account.html",
            account=account,
            state=ACCOUNT_STATES.get(account.state, Text(account.state, account.state)),
            held={role: ROLES[role] for role in sorted(roles)},
            others={role: text for role, text in ROLES.items() if role not in roles},
            may_assign=caller.may(ROLE_ASSIGN),
            may_lock=caller.may(ACCOUNT_LOCK) and account.state == "active",
            may_unlock=caller.may(ACCOUNT_UNLOCK) and account.state == "locked",
            may_revoke=caller.may(SESSION_REVOKE),
        )

    def change_role(self, request: Request) -> Response:
        """Assign or revoke a role."""
        account_id, form = request.args["account_id"], request.form
        roles, role = self.desk.parts.iam.roles, form.get("role", "")
        if form.get("do") == "assign":
            roles.assign_role(request.caller, account_id, role)
        elif form.get("do") == "revoke":
            roles.revoke_role(request.caller, account_id, role)
        else:
            raise Invalid("a role is assigned or revoked")
        return redirect(f"/accounts/{account_id}")

    def lock_account(self, request: Request) -> Response:
        """Lock it and end its sessions."""
        account_id = request.args["account_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.iam.accounts.lock_account(request.caller, account_id, reason)
        return redirect(f"/accounts/{account_id}")

    def unlock_account(self, request: Request) -> Response:
        """Let it sign in again."""
        account_id = request.args["account_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.iam.accounts.unlock_account(request.caller, account_id, reason)
        return redirect(f"/accounts/{account_id}")

    def revoke_sessions(self, request: Request) -> Response:
        """End every session of the account."""
        account_id = request.args["account_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.iam.sessions.revoke_sessions(request.caller, account_id, reason)
        return redirect(f"/accounts/{account_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the account pages."""
    here = _Accounts(desk)
    one = "/accounts/<account_id>"
    return (
        get_page("/accounts", "show_accounts", ACCOUNT_READ, here.list_accounts),
        post_page("/accounts", "create_account_form", ACCOUNT_CREATE, here.create_account),
        get_page(one, "show_account_page", ACCOUNT_READ, here.show_account),
        post_page(f"{one}/roles", "change_role_form", ROLE_ASSIGN, here.change_role),
        post_page(f"{one}/lock", "lock_account_form", ACCOUNT_LOCK, here.lock_account),
        post_page(f"{one}/unlock", "unlock_account_form", ACCOUNT_UNLOCK, here.unlock_account),
        post_page(
            f"{one}/sessions/revoke", "revoke_sessions_form", SESSION_REVOKE, here.revoke_sessions
        ),
    )
