"""Applications: registered, asked for, approved by another; and those that miss logouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.errors import OAuthRefused, RedirectRefused
from iam.models.clients import DEVICE_GRANT, ES256, SM2_SM3, Client, NewClient
from iam.models.real_name import LEVEL_TEXTS, MEANINGS, NO_DEMAND
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, SecopsError
from secops.kernel.permissions.iam import (
    CLIENT_APPROVE,
    CLIENT_CREATE,
    CLIENT_READ,
    CLIENT_REQUEST,
    SESSION_READ,
    SESSION_REVOKE,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

METHODS: Final = {
    "client_secret": Text("共享密钥", "shared secret"),
    "private_key_jwt": Text("私钥签名断言", "assertion signed by its key"),
    "none": Text("公开应用(PKCE)", "public application (PKCE)"),
}
GRANTS: Final = {
    "authorization_code": Text("授权码", "authorization code"),
    "refresh_token": Text("刷新令牌", "refresh token"),
    "client_credentials": Text("应用自身凭据", "its own credentials"),
    DEVICE_GRANT: Text("设备登录", "device"),
}
REAL_NAMES: Final = {name: LEVEL_TEXTS[level] for name, level in MEANINGS.items()}
_REAL_NAME: Final = Text("实名", "real name")
_CONCERNED: Final = SignedIn("who asked, and who may approve: the service looks which")
_COLUMNS: Final = (
    Column("id", N_("编号")),
    Column("name", N_("名称")),
    Column("grants", N_("授权方式")),
    Column("method", N_("认证方式")),
    Column("profile", N_("安全要求")),
    Column("state", N_("状态")),
    Column("created", N_("创建时间")),
)
_PARTNERS: Final = (
    Column("client", N_("应用")),
    Column("session", N_("会话")),
    Column("state", N_("状态")),
    Column("tries", N_("已尝试次数")),
    Column("trouble", N_("原因")),
    Column("since", N_("会话结束时间")),
)
_NOTICES: Final = {
    "waiting": Text("重试中", "trying again"),
    "silent": Text("未确认,已放弃", "given up"),
}


@dataclass(frozen=True, slots=True)
class _Applications:
    desk: Desk

    def list_clients(self, request: Request) -> Response:
        """Show applications, and the form that registers one."""
        return self._list(request)

    def _list(self, request: Request, error: SecopsError | None = None) -> Response:
        caller = request.caller
        page = self.desk.parts.iam.clients.list_clients(caller, wanted_page(request))
        rows = [_row(request, client) for client in page.items]
        return self.desk.list_page(
            request,
            "iam/applications.html",
            Table(N_("应用"), _COLUMNS, rows, page.next),
            grants=GRANTS,
            methods=METHODS,
            real_names=REAL_NAMES,
            may_create=caller.may(CLIENT_CREATE),
            error=error,
            status=error.status if error else 200,
        )

    def create_client(self, request: Request) -> Response:
        """Register an application and show its secret, once."""
        form = request.form
        try:
            issued = self.desk.parts.iam.clients.create_client(request.caller, _new(form))
        except (OAuthRefused, RedirectRefused, Invalid, Conflict) as error:
            return self._list(request, error)
        return self.desk.page(
            request, "iam/application_created.html", client=issued.client, secret=issued.secret
        )

    def list_requests(self, request: Request) -> Response:
        """Show the requests that wait, to who asks and who approves."""
        return self._requests(request)

    def _requests(self, request: Request, error: SecopsError | None = None) -> Response:
        caller = request.caller
        found = self.desk.parts.iam.registration.list_requests(caller)
        return self.desk.page(
            request,
            "iam/application_requests.html",
            error.status if error else 200,
            waiting=found,
            may_request=caller.may(CLIENT_REQUEST),
            may_approve=caller.may(CLIENT_APPROVE),
            error=error,
        )

    def request_client(self, request: Request) -> Response:
        """Ask for an application described by RFC 7591 metadata."""
        try:
            metadata = _object(request.form.get("metadata", ""))
            asked = self.desk.parts.iam.registration.request_client(request.caller, metadata)
        except (OAuthRefused, Invalid) as error:
            return self._requests(request, error)
        return redirect(f"/applications/requests/{asked.request.id}")

    def show_request(self, request: Request) -> Response:
        """Show one request as it stands; who asked collects the credentials here."""
        caller = request.caller
        found = self.desk.parts.iam.registration.get_request(caller, request.args["request_id"])
        return self.desk.page(
            request,
            "iam/application_request.html",
            asked=found,
            metadata=_pretty(found.request.metadata),
            mine=found.request.requester_id == caller.id,
        )

    def complete_request(self, request: Request) -> Response:
        """Register what was approved and show its secret, once."""
        registered = self.desk.parts.iam.registration.complete_client(
            request.caller, request.args["request_id"]
        )
        return self.desk.page(request, "iam/application_registered.html", registered=registered)

    def list_silent_partners(self, request: Request) -> Response:
        """Show the applications that have not confirmed the end of a session."""
        caller = request.caller
        page = self.desk.parts.iam.logouts.list_silent_partners(caller, wanted_page(request))
        rows = [
            (
                Cell(notice.client_id),
                Cell(notice.session_id),
                Cell(
                    _NOTICES[notice.state].into(request.language),
                    badge="bad" if notice.state == "silent" else "warn",
                ),
                Cell(str(notice.tries), sort=notice.tries),
                Cell(notice.trouble),
                Cell("", instant=notice.created_at),
            )
            for notice in page.items
        ]
        return self.desk.list_page(
            request,
            "iam/silent_partners.html",
            Table(N_("未确认退出的应用"), _PARTNERS, rows, page.next),
            given_up=[notice for notice in page.items if notice.state == "silent"],
            may_retry=caller.may(SESSION_REVOKE),
        )

    def retry_logout(self, request: Request) -> Response:
        """Tell an application once more."""
        self.desk.parts.iam.logouts.retry_logout(request.caller, request.args["notice"])
        return redirect("/silent-partners")


def _row(request: Request, client: Client) -> tuple[Cell, ...]:
    language = request.language
    demands: list[str] = [client.profile] if client.profile != "standard" else []
    demands += ["DPoP"] if client.dpop_bound else []
    demands += ["PAR"] if client.par_required else []
    demands += [] if client.token_alg == ES256 else [client.token_alg]
    demands += [f"aal:{client.level}"] if client.level > 1 else []
    if (demand := REAL_NAMES.get(client.real_name_level)) is not None:
        demands.append(f"{_REAL_NAME.into(language)}: {demand.into(language)}")
    ended = client.disabled_at is not None
    state = Text("已停用", "disabled") if ended else Text("有效", "active")
    known = {name: text.into(language) for name, text in GRANTS.items()}
    return (
        Cell(client.id),
        Cell(client.name),
        Cell(", ".join(known.get(grant, grant) for grant in sorted(client.grants))),
        Cell(METHODS[client.auth_method].into(language)),
        Cell(", ".join(demands) or "—"),
        Cell(state.into(language), badge="warn" if ended else "good"),
        Cell("", instant=client.created_at),
    )


def _object(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("the metadata is not JSON") from error
    if not isinstance(value, dict):
        raise Invalid("the metadata is a JSON object")
    return value


def _pretty(metadata: str) -> str:
    return orjson.dumps(orjson.loads(metadata), option=orjson.OPT_INDENT_2).decode()


def _new(form: Mapping[str, str]) -> NewClient:
    level, age = form.get("level", "1"), form.get("max_age", "").strip()
    least, greatest = whole_number(level, 1), whole_number(age, 8)
    if least is None or (age and greatest is None):
        raise Invalid("the level and the greatest age are numbers")
    return NewClient(
        id=form.get("id", "").strip(),
        name=form.get("name", "").strip(),
        redirect_uris=tuple(form.get("redirect_uris", "").split()),
        grants=frozenset(name for name in GRANTS if form.get(f"grant {name}")),
        scopes=frozenset(form.get("scopes", "").split()),
        audiences=tuple(form.get("audiences", "").split()),
        logout_uris=tuple(form.get("logout_uris", "").split()),
        public=form.get("method") == "none",
        jwks=form.get("jwks", "").strip() or None,
        jwks_uri=form.get("jwks_uri", "").strip() or None,
        profile="fapi2" if form.get("profile") == "fapi2" else "standard",
        dpop_bound=bool(form.get("dpop_bound")),
        par_required=bool(form.get("par_required")),
        level=least,
        max_age=greatest,
        real_name_level=form.get("real_name_level", NO_DEMAND),
        back_channel_uri=form.get("back_channel_uri", "").strip() or None,
        sector=form.get("sector", "").strip() or None,
        token_alg=SM2_SM3 if form.get("token_alg") == SM2_SM3 else ES256,
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the application pages."""
    here = _Applications(desk)
    one = "/applications/requests/<request_id>"
    return (
        get_page("/applications", "show_clients", CLIENT_READ, here.list_clients),
        post_page("/applications", "create_client_form", CLIENT_CREATE, here.create_client),
        get_page(
            "/applications/requests", "show_client_requests", CLIENT_REQUEST, here.list_requests
        ),
        get_page(
            "/applications/approvals", "show_client_approvals", CLIENT_APPROVE, here.list_requests
        ),
        post_page(
            "/applications/requests", "request_client_form", CLIENT_REQUEST, here.request_client
        ),
        get_page(one, "show_client_request", _CONCERNED, here.show_request),
        post_page(f"{one}/complete", "complete_client_form", CLIENT_REQUEST, here.complete_request),
        get_page(
            "/silent-partners", "show_silent_partners", SESSION_READ, here.list_silent_partners
        ),
        post_page(
            "/silent-partners/<notice>/retry",
            "retry_logout_form",
            SESSION_REVOKE,
            here.retry_logout,
        ),
    )
