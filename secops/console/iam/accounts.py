"""Accounts: created powerless by one administrator, given roles by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from audits.models import EntryFilter
from detectors.models.triage import RiskPoint
from iam.models.accounts import Account, AccountQuery, NewAccount
from iam.models.changes import NewChange
from secops.console.iam.words import (
    ACCOUNT_KINDS,
    ACCOUNT_STATES,
    CONSEQUENCES,
    ERASED,
    FACTOR_KINDS,
    LOCK_KINDS,
)
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table, TableView, view_table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language, Text
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest
from secops.kernel.permissions import ROLES
from secops.kernel.permissions.audits import READ_LEDGER
from secops.kernel.permissions.detectors import ALERT_READ
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_LOCK,
    ACCOUNT_READ,
    ACCOUNT_UNLOCK,
    AUDITOR_ASSIGN,
    DEPARTURE_ORDER,
    PERSON_ERASE,
    ROLE_ASSIGN,
    ROLE_REQUEST,
    SESSION_REVOKE,
)
from secops.kernel.permissions.roles import ADMINISTRATORS, AUDITOR
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("账户")),
    Column("state", N_("状态")),
    Column("kind", N_("类别")),
    Column("roles", N_("角色")),
    Column("organisation", N_("机构")),
    Column("created", N_("创建时间")),
    Column("last", N_("最近登录")),
)
_ACTS: Final = (
    Column("at", N_("时间")),
    Column("action", N_("动作")),
    Column("actor", N_("行为人")),
    Column("outcome", N_("结果")),
)
_RECENT: Final = 10
_ORDERS: Final = {
    "created": Text("创建先后", "Created"),
    "name": Text("名称", "Name"),
    "sign_in": Text("最近登录", "Last sign-in"),
}


@dataclass(frozen=True, slots=True)
class _Accounts:
    desk: Desk

    def list_accounts(self, request: Request) -> Response:
        """Show accounts with their roles, narrowed as the query string says."""
        caller, iam = request.caller, self.desk.parts.iam
        query = _query(request)
        page, roles = iam.accounts.list_accounts(caller, wanted_page(request), query)
        places = iam.power.organisations.names_of(caller, [each.org_id for each in page.items])
        rows = [
            _row(account, roles[account.id], places, request.language) for account in page.items
        ]
        table = Table(N_("账户"), _COLUMNS, rows, page.next)
        return self.desk.list_page(
            request,
            "iam/accounts.html",
            table,
            query=query,
            orders=_ORDERS,
            states=ACCOUNT_STATES,
            kinds=ACCOUNT_KINDS,
            roles_all=ROLES,
            facets=_facets(request, iam.accounts.count_accounts(caller, query)),
            may_create=caller.may(ACCOUNT_CREATE),
        )

    def create_account(self, request: Request) -> Response:
        """Create an account without any role and show its enrolment, once."""
        form = request.form
        kind = form.get("kind", "natural")
        if kind not in ACCOUNT_KINDS:
            raise Invalid("an account is of one of the kinds offered")
        new = NewAccount(
            form.get("name", "").strip(),
            kind,  # type: ignore[arg-type] # one of the kinds
            full_name=form.get("full_name", "").strip(),
            organisation_id=form.get("under", "").strip() or None,
            owner_id=form.get("owner", "").strip() or None,
            review_at=local_instant(form.get("review", "")),
            expires_at=local_instant(form.get("expires", "")),
        )
        account, enrolment = self.desk.parts.iam.accounts.create_account(request.caller, new)
        return self.desk.page(request, "iam/created.html", account=account, enrolment=enrolment)

    def show_account(self, request: Request) -> Response:
        """Show one account and what the reader may do with it."""
        iam, caller = self.desk.parts.iam, request.caller
        profile = iam.power.profiles.get_profile(caller, request.args["account_id"])
        account, held = profile.account, profile.roles or frozenset()
        places = iam.power.organisations.names_of(caller, [account.org_id])
        offered = {role: text for role, text in ROLES.items() if role not in held}
        return self.desk.page(
            request,
            "iam/account.html",
            profile=profile,
            account=account,
            kind=ACCOUNT_KINDS.get(account.kind, Text(account.kind, account.kind)),
            state=ACCOUNT_STATES.get(account.state, Text(account.state, account.state)),
            place=places.get(account.org_id, account.org_id),
            held={role: ROLES[role] for role in sorted(held)},
            others={r: text for r, text in offered.items() if r not in ADMINISTRATORS},
            every=ROLES,
            factor_kinds=FACTOR_KINDS,
            lock_kinds=LOCK_KINDS,
            consequence=CONSEQUENCES[profile.risk.consequence],
            reasons=self._reasons(request, account),
            acts=self._acts(request, account),
            may_assign=caller.may(ROLE_ASSIGN),
            may_name=caller.may(AUDITOR_ASSIGN),
            may_ask=caller.may(ROLE_REQUEST) and account.id != caller.id,
            may_lock=caller.may(ACCOUNT_LOCK) and account.state == "active",
            may_unlock=caller.may(ACCOUNT_UNLOCK) and account.state == "locked",
            may_revoke=caller.may(SESSION_REVOKE),
            may_end=caller.may(DEPARTURE_ORDER) and account.state != "closed",
            erased=ERASED if account.erased_at is not None else None,
            may_erase=_may_erase(caller, account),
        )

    def _reasons(self, request: Request, account: Account) -> Sequence[RiskPoint] | None:
        """Return why the risk is what it is, newest first; None for who may not see alerts."""
        if not request.caller.may(ALERT_READ):
            return None
        entities = self.desk.parts.detectors.entities
        found = entities.show_entity(request.caller, f"account:{account.id}")
        return tuple(reversed(found.history))[:_RECENT]

    def _acts(self, request: Request, account: Account) -> TableView | None:
        """Return what was done to the account lately; None for who may not read the ledger."""
        if not request.caller.may(READ_LEDGER):
            return None
        wanted = EntryFilter(target=f"account:{account.id}")
        page = self.desk.parts.audits.ledger.list_entries(
            request.caller, PageRequest(_RECENT), wanted
        )
        rows = [
            (
                Cell("", instant=row.at, href=f"/ledger/{row.index}"),
                Cell(row.action),
                Cell(row.actor_id),
                Cell(row.outcome),
            )
            for row in page.items
        ]
        return view_table(request, Table(N_("最近操作"), _ACTS, rows))

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

    def change_auditor(self, request: Request) -> Response:
        """Name an auditor for some days, or dismiss one."""
        account_id, form = request.args["account_id"], request.form
        roles = self.desk.parts.iam.roles
        if form.get("do") == "assign":
            days = whole_number(form.get("days", ""), 3)
            roles.assign_role(request.caller, account_id, AUDITOR, days=days)
        elif form.get("do") == "revoke":
            roles.revoke_role(request.caller, account_id, AUDITOR)
        else:
            raise Invalid("an auditor is named or dismissed")
        return redirect(f"/accounts/{account_id}")

    def ask_roles(self, request: Request) -> Response:
        """Ask that the account shall hold exactly the roles that were ticked."""
        account_id, form = request.args["account_id"], request.form
        wanted = sorted(role for role in ROLES if form.get(f"role-{role}") == "1")
        new = NewChange(
            "roles.change", f"account:{account_id}", {"roles": wanted}, form.get("reason", "")
        )
        change = self.desk.parts.iam.power.changes.request_change(request.caller, new)
        return redirect(f"/approvals/{change.id}")

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


@dataclass(frozen=True, slots=True)
class _Leaving:
    desk: Desk

    def order_departure(self, request: Request) -> Response:
        """Let somebody go, now or on a day."""
        account_id, form = request.args["account_id"], request.form
        self.desk.parts.iam.power.departures.order_departure(
            request.caller,
            account_id,
            form.get("reason", ""),
            due_at=local_instant(form.get("due", "")),
            successor=form.get("successor", "").strip() or None,
        )
        return redirect(f"/accounts/{account_id}")

    def erase_person(self, request: Request) -> Response:
        """Ask that the person behind the account be erased."""
        account_id, reason = request.args["account_id"], request.form.get("reason", "")
        erasures = self.desk.parts.iam.power.erasures
        change = erasures.erase_person(request.caller, account_id, reason)
        return redirect(f"/approvals/{change.id}")


def _may_erase(caller: Actor, account: Account) -> bool:
    erasable = account.state in ("closed", "locked") and account.erased_at is None
    return erasable and account.kind != "service" and caller.may(PERSON_ERASE)


def _query(request: Request) -> AccountQuery:
    query = request.query
    order = query.get("by", "created")
    return AccountQuery(
        text=query.get("q", "")[:128],
        state=query.get("state", ""),
        kind=query.get("kind", ""),
        role=query.get("role", ""),
        organisation_id=query.get("organisation", ""),
        order=order if order in _ORDERS else "created",  # type: ignore[arg-type] # one of them
    )


def _row(
    account: Account, roles: frozenset[str], places: Mapping[str, str], language: Language
) -> tuple[Cell, ...]:
    state = ACCOUNT_STATES.get(account.state, Text(account.state, account.state))
    kind = ACCOUNT_KINDS.get(account.kind, Text(account.kind, account.kind))
    signed_in = account.last_sign_in
    erased = account.erased_at is not None
    shown = f"{ERASED.into(language)} ({account.name})" if erased else account.name
    return (
        Cell(shown, href=f"/accounts/{account.id}"),
        Cell(state.into(language), badge="good" if account.state == "active" else "warn"),
        Cell(kind.into(language)),
        Cell(", ".join(ROLES[role].into(language) for role in sorted(roles))),
        Cell(places.get(account.org_id, "—")),
        Cell("", instant=account.created_at),
        Cell("—") if signed_in is None else Cell("", instant=signed_in),
    )


@dataclass(frozen=True, slots=True)
class _Facet:
    title: Text
    count: int
    href: str
    chosen: bool


def _facets(
    request: Request, counts: Mapping[str, Mapping[str, int]]
) -> list[tuple[str, list[_Facet]]]:
    """Return links that narrow by state and by kind, with how many each leaves."""
    groups = []
    for name, words, title in (
        ("state", ACCOUNT_STATES, N_("状态")),
        ("kind", ACCOUNT_KINDS, N_("类别")),
    ):
        links = []
        for value, text in words.items():
            number = counts[name].get(value, 0)
            if not number:
                continue
            chosen = request.query.get(name) == value
            query = {k: v for k, v in request.query.items() if k not in (name, "cursor")}
            href = "?" + urlencode(query if chosen else {**query, name: value})
            links.append(_Facet(text, number, href, chosen))
        groups.append((title, links))
    return groups


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the account pages."""
    here, leaving = _Accounts(desk), _Leaving(desk)
    one = "/accounts/<account_id>"
    return (
        get_page("/accounts", "show_accounts", ACCOUNT_READ, here.list_accounts),
        post_page("/accounts", "create_account_form", ACCOUNT_CREATE, here.create_account),
        get_page(one, "show_account_page", ACCOUNT_READ, here.show_account),
        post_page(f"{one}/roles", "change_role_form", ROLE_ASSIGN, here.change_role),
        post_page(f"{one}/auditor", "change_auditor_form", AUDITOR_ASSIGN, here.change_auditor),
        post_page(f"{one}/roles/ask", "ask_roles_form", ROLE_REQUEST, here.ask_roles),
        post_page(f"{one}/lock", "lock_account_form", ACCOUNT_LOCK, here.lock_account),
        post_page(f"{one}/unlock", "unlock_account_form", ACCOUNT_UNLOCK, here.unlock_account),
        post_page(
            f"{one}/departure", "order_departure_form", DEPARTURE_ORDER, leaving.order_departure
        ),
        post_page(f"{one}/erasure", "erase_person_form", PERSON_ERASE, leaving.erase_person),
        post_page(
            f"{one}/sessions/revoke", "revoke_sessions_form", SESSION_REVOKE, here.revoke_sessions
        ),
    )
