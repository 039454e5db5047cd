"""Keys: list, create, rotate, grant, suspend; destroying one is asked for here and decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from kms.models.keys import DEFAULT_MOUNT, DEFAULT_OPERATIONS, KEY_TYPES, Key, KeyRequest
from kms.service.key_destruction import DELAY_DAYS, MAX_DELAY_DAYS
from kms.service.presenting import describe, describe_destruction, list_grants, seconds_of
from secops.console.kms.seals import APPROVAL_STATES
from secops.console.parts import Desk, get_page, granted, post_page, whole_number
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.pages import PageRequest
from secops.kernel.permissions.kms import (
    KEY_CREATE,
    KEY_DESTROY,
    KEY_GRANT,
    KEY_READ,
    KEY_READ_ALL,
    KEY_ROTATE,
    KEY_SUSPEND,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_HERE: Final = "/keys"
_DAY_DIGITS: Final = 2
_PENDING: Final = PageRequest(20)
KEY_STATES: Final = {
    "active": (N_("有效"), "good"),
    "suspended": (N_("已停用"), "warn"),
    "pending_destruction": (N_("待销毁"), "bad"),
    "destroyed": (N_("已销毁"), "bad"),
}
_PERIODS: Final = {
    "": N_("不自动轮换"),
    "30d": N_("每 30 天"),
    "90d": N_("每 90 天"),
    "365d": N_("每年"),
}
_COLUMNS: Final = (
    Column("name", N_("密钥")),
    Column("type", N_("类型")),
    Column("state", N_("状态")),
    Column("version", N_("版本")),
    Column("created", N_("创建时间")),
    Column("due", N_("轮换到期")),
    Column("place", N_("所在设备")),
)


@dataclass(frozen=True, slots=True)
class _Keys:
    desk: Desk

    def list_keys(self, request: Request) -> Response:
        """Show the keys of one mount, a page at a time."""
        kms, caller = self.desk.parts.kms, request.caller
        mount = _mount(request)
        page = kms.keys.list_keys(caller, wanted_page(request), mount=mount)
        rows = [self._row(request, key, mount) for key in page.items]
        destructions: tuple[dict[str, Any], ...] = ()
        if caller.may(KEY_READ_ALL):
            found = kms.key_destruction.list_destructions(caller, _PENDING).items
            shown = (describe_destruction(*pair) for pair in found)
            destructions = tuple(one for one in shown if one["approval"] == "pending")
        return self.desk.list_page(
            request,
            "kms/keys.html",
            Table(N_("密钥"), _COLUMNS, rows, page.next, N_("还没有密钥")),
            mount=mount,
            mounts=[DEFAULT_MOUNT, *(one.path for one in kms.mounts.list_mounts(caller))],
            types=tuple(KEY_TYPES),
            periods=_PERIODS,
            destructions=destructions,
            may_create=caller.may(KEY_CREATE),
            may_decide=caller.may(KEY_DESTROY),
            caller_id=caller.id,
        )

    def _row(self, request: Request, key: Key, mount: str) -> tuple[Cell, ...]:
        title, badge = KEY_STATES[key.state]
        return (
            Cell(key.name, href=_address(key.name, mount)),
            Cell(key.type),
            Cell(self.desk.renderer.word(request, title), badge=badge),
            Cell(str(key.latest_version), sort=key.latest_version),
            Cell("", instant=key.created_at),
            Cell("", instant=key.next_rotation_at) if key.next_rotation_at else Cell("—", sort=0),
            Cell(key.backend),
        )

    def show_key(self, request: Request) -> Response:
        """Show a key with its versions, grants and what waits to be decided."""
        kms, caller = self.desk.parts.kms, request.caller
        mount = _mount(request)
        loaded = kms.keys.get_key(caller, request.args["name"], mount=mount)
        key = loaded.key
        destruction = None
        if caller.may(KEY_READ_ALL):
            found = kms.key_destruction.latest_destruction(caller, key)
            destruction = None if found is None else describe_destruction(*found)
        title, badge = KEY_STATES[key.state]
        return self.desk.page(
            request,
            "kms/key.html",
            key=key,
            mount=mount,
            query=urlencode({"mount": mount}),
            state_title=title,
            state_badge=badge,
            shown=describe(loaded),
            versions=[loaded.versions[number] for number in sorted(loaded.versions, reverse=True)],
            grants=list_grants(loaded),
            destruction=destruction,
            approval_states=APPROVAL_STATES,
            delay_days=DELAY_DAYS,
            max_delay_days=MAX_DELAY_DAYS,
            caller_id=caller.id,
            may={
                "rotate": caller.may(KEY_ROTATE),
                "suspend": caller.may(KEY_SUSPEND),
                "grant": caller.may(KEY_GRANT),
                "destroy": caller.may(KEY_DESTROY),
                "see_limits": caller.may(KEY_READ_ALL),
            },
        )

    def create_key(self, request: Request) -> Response:
        """Make a key."""
        form = request.form
        wish = KeyRequest(
            name=form.get("name", "").strip(),
            type=form.get("type", ""),
            mount=form.get("mount", DEFAULT_MOUNT),
            exportable=form.get("exportable") == "on",
            auto_rotate_period=seconds_of(form, "period"),
        )
        self.desk.parts.kms.keys.create_key(request.caller, wish)
        return redirect(_address(wish.name, wish.mount))

    def rotate_key(self, request: Request) -> Response:
        """Give a key one more version."""
        self.desk.parts.kms.keys.rotate_key(
            request.caller, request.args["name"], mount=_mount(request)
        )
        return _back(request)

    def switch_key(self, request: Request) -> Response:
        """Suspend a key, or let it be used again."""
        form, control = request.form, self.desk.parts.kms.key_control
        name, mount = request.args["name"], _mount(request)
        if form.get("to") == "resume":
            control.resume_key(request.caller, name, mount=mount)
        else:
            reason = form.get("reason", "")
            control.suspend_key(request.caller, name, reason=reason, mount=mount)
        return _back(request)

    def grant_key(self, request: Request) -> Response:
        """Let somebody use a key, or take that away."""
        form, control = request.form, self.desk.parts.kms.key_control
        name, subject, mount = request.args["name"], form.get("subject", ""), _mount(request)
        if form.get("to") == "revoke":
            # the table shows ``account:ID``; names and identifiers are what is asked for
            held = subject.rpartition(":")[2]
            control.revoke_key_grant(request.caller, name, held, mount=mount)
        else:
            control.grant_key(request.caller, name, subject, DEFAULT_OPERATIONS, mount=mount)
        return _back(request)

    def destroy_key(self, request: Request) -> Response:
        """Ask for a key to be destroyed, with permission to do so, or call it off."""
        form, kms = request.form, self.desk.parts.kms
        name, mount, caller = request.args["name"], _mount(request), request.caller
        if form.get("to") == "call_off":
            kms.key_destruction.call_off_destruction(caller, name, mount=mount)
            return _back(request)
        days = whole_number(form.get("delay_days", "").strip(), _DAY_DIGITS)
        if days is None:
            raise Invalid("delay_days is a number of days")
        reason = form.get("reason", "")
        kms.keys.configure_key(caller, name, {"deletion_allowed": True}, mount=mount)
        kms.key_destruction.destroy_key(caller, name, mount=mount, reason=reason, delay_days=days)
        return _back(request)

    def decide_destruction(self, request: Request) -> Response:
        """Approve or reject that a key is destroyed; never one's own request."""
        form = request.form
        self.desk.parts.kms.key_destruction.decide_destruction(
            request.caller,
            request.args["destruction_id"],
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(_HERE)


def _mount(request: Request) -> str:
    return request.query.get("mount") or DEFAULT_MOUNT


def _address(name: str, mount: str) -> str:
    return f"{_HERE}/{quote(name, safe='')}?{urlencode({'mount': mount})}"


def _back(request: Request) -> Response:
    return redirect(_address(request.args["name"], _mount(request)))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the keys' pages."""
    here = _Keys(desk)
    one = f"{_HERE}/<name>"
    decide = "/key-destructions/<destruction_id>/decide"
    return (
        get_page(_HERE, "list_keys_page", KEY_READ, here.list_keys),
        get_page(one, "show_key_page", KEY_READ, here.show_key),
        post_page(_HERE, "create_key_form", KEY_CREATE, here.create_key, level=2),
        post_page(f"{one}/rotate", "rotate_key_form", KEY_ROTATE, here.rotate_key, level=2),
        post_page(f"{one}/switch", "switch_key_form", KEY_SUSPEND, here.switch_key, level=2),
        post_page(f"{one}/grants", "grant_key_form", KEY_GRANT, here.grant_key, level=2),
        post_page(f"{one}/destroy", "destroy_key_form", KEY_DESTROY, here.destroy_key, level=2),
        post_page(decide, "decide_destruction_form", KEY_DESTROY, here.decide_destruction, level=2),
    )
