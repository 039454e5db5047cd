"""Identity providers upstream: in force, waiting for approval, and a form to propose one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from iam.models.upstream import Upstream
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import (
    UPSTREAM_CONFIGURE,
    UPSTREAM_READ,
)
from secops.web.messages import Request, Response, redirect
from secops.web.routes import Route

KINDS: Final = {
    "oidc": Text("OpenID Connect", "OpenID Connect"),
    "ticket": Text("省级票据平台(SM2/SM4)", "Provincial ticket platform (SM2/SM4)"),
    "cas": Text("CAS 3.0", "CAS 3.0"),
    "ldap": Text("LDAP/AD 目录", "LDAP or AD directory"),
}
_STATES: Final = {"active": Text("生效", "in force"), "disabled": Text("已停用", "disabled")}
_COLUMNS: Final = (
    Column("title", N_("名称")),
    Column("kind", N_("类型")),
    Column("state", N_("状态")),
    Column("scheme", N_("实名体系")),
    Column("changed", N_("变更时间")),
)
_MAX_DOCUMENT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Upstreams:
    desk: Desk

    def list_upstreams(self, request: Request) -> Response:
        """Show providers in force and what waits."""
        service, caller = self.desk.parts.iam.upstreams, request.caller
        found = service.list_upstreams(caller)
        rows = [_row(request, one) for one in found]
        return self.desk.list_page(
            request,
            "iam/upstreams.html",
            Table(N_("上级身份源"), _COLUMNS, rows, None),
            names=[(one.plan.id, one.plan.title) for one in found if one.state == "active"],
            waiting=service.pending_upstreams(caller),
            kinds=KINDS,
            may_configure=caller.may(UPSTREAM_CONFIGURE),
        )

    def create_upstream(self, request: Request) -> Response:
        """Propose a provider."""
        form = request.form
        document = {
            "kind": form.get("kind", ""),
            "title": form.get("title", "").strip(),
            "settings": _object(form.get("settings", "")),
            "trust": _object(form.get("trust", "")),
        }
        self.desk.parts.iam.upstreams.create_upstream(
            request.caller, form.get("id", "").strip(), document, form.get("secret", "").strip()
        )
        return redirect("/upstreams")

    def test_upstream(self, request: Request) -> Response:
        """Show what a provider answers without a person."""
        upstream_id = request.args["upstream"]
        checks = self.desk.parts.iam.upstreams.test_upstream(request.caller, upstream_id)
        return self.desk.page(
            request, "iam/upstream_test.html", upstream=upstream_id, checks=checks
        )

    def disable_upstream(self, request: Request) -> Response:
        """Take it out of force."""
        self.desk.parts.iam.upstreams.disable_upstream(
            request.caller, request.args["upstream"], request.form.get("reason", "")
        )
        return redirect("/upstreams")


def _row(request: Request, one: Upstream) -> tuple[Cell, ...]:
    state = _STATES[one.state]
    return (
        Cell(f"{one.plan.title} ({one.plan.id})"),
        Cell(KINDS[one.plan.kind].into(request.language)),
        Cell(state.into(request.language), badge="good" if one.state == "active" else "warn"),
        Cell(one.plan.trust.scheme or "—"),
        Cell("", instant=one.changed_at),
    )


def _object(text: str) -> Any:
    if len(text) > _MAX_DOCUMENT:
        raise Invalid("the configuration is too long")
    try:
        return orjson.loads(text) if text.strip() else {}
    except orjson.JSONDecodeError as error:
        raise Invalid("settings and trust are JSON objects") from error


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages about providers."""
    here = _Upstreams(desk)
    one = "/upstreams/<upstream>"
    return (
        get_page("/upstreams", "show_upstreams", UPSTREAM_READ, here.list_upstreams),
        post_page(
            "/upstreams", "create_upstream_form", UPSTREAM_CONFIGURE, here.create_upstream, level=2
        ),
        post_page(f"{one}/test", "test_upstream_form", UPSTREAM_CONFIGURE, here.test_upstream),
        post_page(
            f"{one}/disable",
            "disable_upstream_form",
            UPSTREAM_CONFIGURE,
            here.disable_upstream,
            level=2,
        ),
    )
