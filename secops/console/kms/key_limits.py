"""Limits of a key; an organisation's part of the pool; what the engines answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from kms.models.keys import DEFAULT_MOUNT
from kms.models.limits import NO_RISK_LIMIT, KeyLimits, Quota
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.render import beijing_time
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.actors import ROOT_ORG
from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import KEY_CONFIGURE, KEY_READ_ALL, POOL_LOCK
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_TENANT: Final = "/key-tenant"
_LIMITS: Final = "/keys/<name>/limits"
_DIGITS: Final = 13
_MINUTE: Final = 16
"""Letters of ``YYYY-MM-DDTHH:MM``, what a browser sends of an instant."""
_COLUMNS: Final = (
    Column("at", N_("时间")),
    Column("process", N_("进程")),
    Column("passed", N_("通过的引擎")),
    Column("defects", N_("停用的引擎")),
)


@dataclass(frozen=True, slots=True)
class _Limits:
    desk: Desk

    def show_key_limits(self, request: Request) -> Response:
        """Show when, how often, through what and at which risk a key may be used."""
        kms, caller, name = self.desk.parts.kms, request.caller, request.args["name"]
        mount = request.query.get("mount", DEFAULT_MOUNT)
        limits = kms.limit_control.show_key_limits(caller, name, mount=mount)
        return self.desk.page(
            request,
            "kms/key_limits.html",
            name=name,
            query=urlencode({"mount": mount}),
            limits=limits,
            local=_local,
            may_configure=caller.may(KEY_CONFIGURE),
        )

    def set_key_limits(self, request: Request) -> Response:
        """Replace the limits that the form showed."""
        form, name = request.form, request.args["name"]
        mount = request.query.get("mount", DEFAULT_MOUNT)
        wish = KeyLimits(
            key_id="",
            not_before=_instant(form, "not_before"),
            not_after=_instant(form, "not_after"),
            max_uses=_count(form, "max_uses"),
            clients=tuple(form.get("clients", "").split()),
            max_risk=NO_RISK_LIMIT if (risk := _count(form, "max_risk")) is None else risk,
            version=_version(form),
        )
        control = self.desk.parts.kms.limit_control
        control.set_key_limits(request.caller, name, wish, mount=mount)
        return redirect(f"/keys/{quote(name)}/limits?{urlencode({'mount': mount})}")

    def show_tenant(self, request: Request) -> Response:
        """Show an organisation's quota, its use and lock, and the engines' self-tests."""
        kms, caller = self.desk.parts.kms, request.caller
        org_id = request.query.get("organisation", caller.org_id)
        page = kms.self_tests.list_self_tests(caller, wanted_page(request))
        rows = [
            (
                Cell("", instant=run.at),
                Cell(run.process),
                Cell(str(run.passed), sort=run.passed),
                Cell("、".join(run.defects) or "—", badge="bad" if run.defects else ""),
            )
            for run in page.items
        ]
        return self.desk.list_page(
            request,
            "kms/key_tenant.html",
            Table(N_("密码引擎自检"), _COLUMNS, rows, page.next, N_("还没有自检记录")),
            tenancy=kms.limit_control.show_tenant(caller, org_id),
            progress=kms.unlocking.show_progress(),
            org_id=org_id,
            whole=caller.org_id == ROOT_ORG,
            may_lock=caller.may(POOL_LOCK),
            may_configure=caller.may(KEY_CONFIGURE) and caller.org_id == ROOT_ORG,
        )

    def set_quota(self, request: Request) -> Response:
        """Replace the quota that the form showed."""
        form = request.form
        org_id = form.get("organisation", "")
        wish = Quota(
            org_id,
            keys=_count(form, "keys"),
            versions=_count(form, "versions"),
            daily_operations=_count(form, "daily_operations"),
            version=_version(form),
        )
        self.desk.parts.kms.limit_control.set_quota(request.caller, wish)
        return redirect(_tenant(org_id))

    def switch_tenant(self, request: Request) -> Response:
        """Lock an organisation's keys, or let them be used again."""
        form, tenants = request.form, self.desk.parts.kms.tenants
        org_id, reason = form.get("organisation", ""), form.get("reason", "").strip()
        if form.get("to") == "unlock":
            tenants.unlock_tenant(request.caller, org_id)
        elif reason:
            tenants.lock_tenant(request.caller, org_id, reason=reason)
        else:
            raise Invalid("a lock has a reason")
        return redirect(_tenant(org_id))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of these pages."""
    here = _Limits(desk)
    return (
        get_page(_LIMITS, "show_key_limits_page", KEY_READ_ALL, here.show_key_limits),
        post_page(_LIMITS, "set_key_limits_form", KEY_CONFIGURE, here.set_key_limits, level=2),
        get_page(_TENANT, "show_tenant_page", KEY_READ_ALL, here.show_tenant),
        post_page(f"{_TENANT}/quota", "set_quota_form", KEY_CONFIGURE, here.set_quota, level=2),
        post_page(f"{_TENANT}/switch", "switch_tenant", POOL_LOCK, here.switch_tenant, level=2),
    )


def _tenant(org_id: str) -> str:
    return f"{_TENANT}?{urlencode({'organisation': org_id})}"


def _version(form: Mapping[str, str]) -> int:
    found = _count(form, "version")
    if found is None:
        raise Invalid("the form names the version that it showed")
    return found


def _count(form: Mapping[str, Any], name: str) -> int | None:
    text = form.get(name, "").strip()
    found = whole_number(text, _DIGITS)
    if text and found is None:
        raise Invalid(f"{name} is a number")
    return found


def _instant(form: Mapping[str, str], name: str) -> int:
    """Return what a browser's field for Beijing time says; 0 where it is empty."""
    text = form.get(name, "").strip()
    if not text:
        return 0
    try:
        return from_rfc3339(f"{text[:_MINUTE]}:00+08:00")
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{name} is a day and time") from error


def _local(instant: int) -> str:
    """Return an instant as a browser's field wants it, in Beijing time; "" for none."""
    return beijing_time(instant)[:_MINUTE].replace(" ", "T") if instant else ""
