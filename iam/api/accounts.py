"""Accounts, roles, sessions and resets as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from iam.api.profiles import profile_shape
from iam.api.shapes import (
    Table,
    account_query,
    account_shape,
    document,
    enrolment_shape,
    instant_or_none,
    schema,
    session_shape,
    text,
)
from iam.models.accounts import AccountKind, NewAccount
from iam.service import IamServices
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_LOCK,
    ACCOUNT_READ,
    ACCOUNT_RESET,
    ACCOUNT_UNLOCK,
    AUDITOR_ASSIGN,
    RESET_APPROVE,
    ROLE_ASSIGN,
    ROLE_READ,
    SESSION_READ,
    SESSION_REVOKE,
)
from secops.kernel.permissions.roles import AUDITOR
from secops.web.messages import Request, Response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route

_KINDS: tuple[AccountKind, ...] = ("natural", "civil", "legal", "service")
_REASON = schema("Reason", reason={})
_ROLE = schema("RoleRequest", ("role",), role={})
_AUDITOR = schema("AuditorRequest", days={"type": "integer", "minimum": 1, "maximum": 366})
_NEW = schema(
    "NewAccount",
    ("name",),
    name={},
    kind={"enum": list(_KINDS)},
    full_name={},
    organisation={},
    post={},
    document={"type": "object"},
    under={"type": "string", "description": "the organisation it belongs to"},
    owner={"type": "string", "description": "who answers for a service account"},
    review_at={"type": "integer", "description": "UTC seconds since 1970"},
    expires_at={"type": "integer", "description": "UTC seconds since 1970"},
)


def routes(services: IamServices) -> tuple[Route, ...]:
    """Return the routes for administrators of accounts."""
    accounts, roles = _Accounts(services), _Roles(services)
    resets, sessions = _Resets(services), _Sessions(services)
    one = "/accounts/<account>"
    table = Table()
    add = table.add
    add("GET /accounts", "list_accounts", ACCOUNT_READ, accounts.list_all)
    add("POST /accounts", "create_account", ACCOUNT_CREATE, accounts.create, request=_NEW)
    add(f"GET {one}", "get_account", ACCOUNT_READ, accounts.get)
    add(f"GET {one}/profile", "get_profile", ACCOUNT_READ, accounts.profile)
    add(f"POST {one}/lock", "lock_account", ACCOUNT_LOCK, accounts.lock, request=_REASON)
    add(f"POST {one}/unlock", "unlock_account", ACCOUNT_UNLOCK, accounts.unlock, request=_REASON)
    add("GET /roles", "list_roles", ROLE_READ, roles.list_all)
    add(f"POST {one}/roles", "assign_role", ROLE_ASSIGN, roles.assign, request=_ROLE)
    add(f"DELETE {one}/roles/<role>", "revoke_role", ROLE_ASSIGN, roles.revoke)
    add(
        f"POST {one}/auditor",
        "assign_auditor",
        AUDITOR_ASSIGN,
        roles.assign_auditor,
        request=_AUDITOR,
    )
    add(f"DELETE {one}/auditor", "revoke_auditor", AUDITOR_ASSIGN, roles.revoke_auditor)
    add(f"POST {one}/resets", "request_reset", ACCOUNT_RESET, resets.ask, request=_REASON)
    add("GET /resets", "list_resets", RESET_APPROVE, resets.list_all)
    add("POST /resets/<reset>/approve", "approve_reset", RESET_APPROVE, resets.approve)
    add("POST /resets/<reset>/reject", "reject_reset", RESET_APPROVE, resets.reject)
    add("POST /resets/<reset>/complete", "complete_reset", ACCOUNT_RESET, resets.complete)
    add("GET /sessions", "list_sessions", SESSION_READ, sessions.list_all)
    add("DELETE /sessions/<session>", "revoke_session", SESSION_REVOKE, sessions.revoke)
    add(f"DELETE {one}/sessions", "revoke_sessions", SESSION_REVOKE, sessions.revoke_all)
    return tuple(table.routes)


def _reason(request: Request) -> str:
    return text(request.json_object(), "reason", "")


@dataclass(frozen=True, slots=True)
class _Accounts:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page, roles = self.services.accounts.list_accounts(
            request.caller, asked, account_query(request.query)
        )
        return page_response(page, lambda account: account_shape(account, roles[account.id]))

    def create(self, request: Request) -> Response:
        body = request.json_object()
        kind = next((kind for kind in _KINDS if kind == body.get("kind", "natural")), None)
        if kind is None:
            msg = f"kind is one of {', '.join(_KINDS)}"
            raise Invalid(msg)
        new = NewAccount(
            name=text(body, "name"),
            kind=kind,
            full_name=text(body, "full_name", ""),
            document=document(body),
            organisation=text(body, "organisation", ""),
            post=text(body, "post", ""),
            organisation_id=text(body, "under", "") or None,
            owner_id=text(body, "owner", "") or None,
            review_at=instant_or_none(body, "review_at"),
            expires_at=instant_or_none(body, "expires_at"),
        )
        account, enrolment = self.services.accounts.create_account(request.caller, new)
        answer = {"account": account_shape(account), "enrolment": enrolment_shape(enrolment)}
        return json_response(answer, 201)

    def get(self, request: Request) -> Response:
        found = self.services.accounts.get_account(request.caller, request.args["account"])
        return json_response(account_shape(found))

    def profile(self, request: Request) -> Response:
        found = self.services.power.profiles.get_profile(request.caller, request.args["account"])
        return json_response(profile_shape(found))

    def lock(self, request: Request) -> Response:
        self.services.accounts.lock_account(
            request.caller, request.args["account"], _reason(request)
        )
        return Response(204)

    def unlock(self, request: Request) -> Response:
        self.services.accounts.unlock_account(
            request.caller, request.args["account"], _reason(request)
        )
        return Response(204)


@dataclass(frozen=True, slots=True)
class _Roles:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        held = self.services.roles.list_roles(request.caller)
        items = [{"subject": name, "roles": sorted(roles)} for name, roles in sorted(held.items())]
        return json_response({"items": items, "next": None})

    def assign(self, request: Request) -> Response:
        role = text(request.json_object(), "role")
        self.services.roles.assign_role(request.caller, request.args["account"], role)
        return Response(204)

    def revoke(self, request: Request) -> Response:
        self.services.roles.revoke_role(
            request.caller, request.args["account"], request.args["role"]
        )
        return Response(204)

    def assign_auditor(self, request: Request) -> Response:
        days = request.json_object().get("days") if request.body else None
        if days is not None and type(days) is not int:
            raise Invalid("days is a whole number")
        self.services.roles.assign_role(request.caller, request.args["account"], AUDITOR, days=days)
        return Response(204)

    def revoke_auditor(self, request: Request) -> Response:
        self.services.roles.revoke_role(request.caller, request.args["account"], AUDITOR)
        return Response(204)


@dataclass(frozen=True, slots=True)
class _Resets:
    services: IamServices

    def ask(self, request: Request) -> Response:
        reset = self.services.resets.request_reset(
            request.caller, request.args["account"], _reason(request)
        )
        return json_response({"id": reset}, 201)

    def list_all(self, request: Request) -> Response:
        items = [
            {
                "id": approval.id,
                "subject": approval.subject,
                "requester": approval.requester_id,
                "reason": approval.reason,
                "state": approval.state,
            }
            for approval in self.services.resets.pending(request.caller)
        ]
        return json_response({"items": items, "next": None})

    def approve(self, request: Request) -> Response:
        reset = request.args["reset"]
        self.services.resets.approve_reset(request.caller, reset, grant=True)
        return Response(204)

    def reject(self, request: Request) -> Response:
        reset = request.args["reset"]
        self.services.resets.approve_reset(request.caller, reset, grant=False)
        return Response(204)

    def complete(self, request: Request) -> Response:
        issued = self.services.resets.complete_reset(request.caller, request.args["reset"])
        return json_response(enrolment_shape(issued), 201)


@dataclass(frozen=True, slots=True)
class _Sessions:
    services: IamServices

    def list_all(self, request: Request) -> Response:
        asked = wanted_page(request)
        page = self.services.sessions.list_sessions(
            request.caller, asked, request.query.get("account")
        )
        return page_response(page, session_shape)

    def revoke(self, request: Request) -> Response:
        self.services.sessions.revoke_session(
            request.caller, request.args["session"], request.query.get("reason", "")
        )
        return Response(204)

    def revoke_all(self, request: Request) -> Response:
        ended = self.services.sessions.revoke_sessions(
            request.caller, request.args["account"], request.query.get("reason", "")
        )
        return json_response({"ended": list(ended)})
