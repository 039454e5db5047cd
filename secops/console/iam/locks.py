"""Locks and devices of the organisation; one's own devices and applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.models.zero_trust import Device, Lock
from iam.service.protection.locks import NewLock
from secops.console.iam.words import LOCK_KINDS
from secops.console.parts import Desk, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table, view_table
from secops.console.texts import N_
from secops.kernel.catalogue import Text
from secops.kernel.clock import HOUR
from secops.kernel.errors import Invalid
from secops.kernel.permissions.iam import (
    DEVICE_READ,
    DEVICE_REVOKE,
    LOCK_LIFT,
    LOCK_READ,
    LOCK_SET,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route, SignedIn

_LOCKS: Final = (
    Column("kind", N_("种类")),
    Column("subject", N_("对象")),
    Column("reason", N_("理由")),
    Column("created", N_("锁定时间")),
    Column("until", N_("到期时间")),
    Column("state", N_("状态")),
)
_DEVICES: Final = (
    Column("name", N_("设备")),
    Column("account", N_("账户")),
    Column("system", N_("系统")),
    Column("posture", N_("安全状态")),
    Column("reported", N_("最近上报")),
    Column("state", N_("状态")),
)
_MOST_HOURS: Final = 8_760
_OWN: Final = SignedIn("everybody sees their own devices and applications")


@dataclass(frozen=True, slots=True)
class _Locks:
    desk: Desk

    def list_locks(self, request: Request) -> Response:
        """Show the locks in force, or all of them."""
        caller, every = request.caller, request.query.get("all") == "yes"
        page = self.desk.parts.iam.protection.locks.list_locks(
            caller, wanted_page(request), lifted=every
        )
        table = Table(
            N_("锁定"), _LOCKS, [_lock_row(one, request) for one in page.items], page.next
        )
        return self.desk.list_page(
            request,
            "iam/locks.html",
            table,
            kinds=LOCK_KINDS,
            may_lock=caller.may(LOCK_SET),
        )

    def lock(self, request: Request) -> Response:
        """Lock a subject."""
        form = request.form
        kind = next((kind for kind in LOCK_KINDS if kind == form.get("kind")), None)
        if kind is None:
            raise Invalid("a lock has a kind of subject")
        text = form.get("hours", "").strip()
        hours = whole_number(text, len(str(_MOST_HOURS)))
        if text and (hours is None or hours > _MOST_HOURS):
            raise Invalid("hours are a whole number up to 8760")
        until = None if hours is None else self.desk.parts.clock.now() + hours * HOUR
        new = NewLock(kind, form.get("subject", ""), form.get("reason", ""), until)
        made = self.desk.parts.iam.protection.locks.lock_subject(request.caller, new)
        return redirect(f"/locks/{made.id}")

    def show(self, request: Request) -> Response:
        """Show one lock and what the reader may do with it."""
        caller = request.caller
        lock = self.desk.parts.iam.protection.locks.get_lock(caller, request.args["lock"])
        return self.desk.page(
            request,
            "iam/lock.html",
            lock=lock,
            kind=LOCK_KINDS[lock.kind],
            may_ask=caller.may(LOCK_LIFT) and lock.lifted_at is None,
        )

    def ask(self, request: Request) -> Response:
        """Ask another person to lift it."""
        lock = request.args["lock"]
        reason = request.form.get("reason", "")
        self.desk.parts.iam.protection.locks.ask_to_lift(request.caller, lock, reason)
        return redirect(f"/locks/{lock}")


def _lock_row(lock: Lock, request: Request) -> tuple[Cell, ...]:
    lifted = Text("已解除", "lifted") if lock.lifted_at else Text("生效中", "in force")
    return (
        Cell(LOCK_KINDS[lock.kind].into(request.language)),
        Cell(lock.subject, href=f"/locks/{lock.id}"),
        Cell(lock.reason),
        Cell("", instant=lock.created_at),
        Cell("—") if lock.until is None else Cell("", instant=lock.until),
        Cell(lifted.into(request.language), badge="info" if lock.lifted_at else "warn"),
    )


@dataclass(frozen=True, slots=True)
class _Devices:
    desk: Desk

    def list_devices(self, request: Request) -> Response:
        """Show the organisation's devices."""
        caller = request.caller
        page = self.desk.parts.iam.protection.devices.list_devices(caller, wanted_page(request))
        rows = [_device_row(one, request) for one in page.items]
        table = Table(N_("登记的设备"), _DEVICES, rows, page.next)
        active = [one for one in page.items if one.state == "active"]
        return self.desk.list_page(
            request,
            "iam/devices.html",
            table,
            active=active if caller.may(DEVICE_REVOKE) else [],
        )

    def revoke(self, request: Request) -> Response:
        """Revoke any device of the organisation."""
        device, reason = request.args["device"], request.form.get("reason", "")
        self.desk.parts.iam.protection.devices.revoke_device(request.caller, device, reason)
        return redirect("/devices")

    def own(self, request: Request) -> Response:
        """Show the reader's devices, and a challenge for a new one."""
        devices = self.desk.parts.iam.protection.devices
        mine = devices.own_devices(request.caller)
        table = Table(N_("我的设备"), _DEVICES, [_device_row(one, request) for one in mine])
        return self.desk.page(
            request,
            "iam/own_devices.html",
            table=view_table(request, table),
            active=[one for one in mine if one.state == "active"],
            challenge=devices.challenge(request.caller),
        )

    def answer(self, request: Request) -> Response:
        """Register a device, or prove one in this session, by what its agent signed."""
        form = request.form
        devices, statement = self.desk.parts.iam.protection.devices, form.get("statement", "")
        if form.get("do") == "register":
            devices.register_device(request.caller, form.get("name", ""), statement.strip())
        elif form.get("do") == "prove":
            devices.prove_device(request.caller, statement.strip())
        else:
            raise Invalid("a device is registered or proved")
        return redirect("/me/devices")

    def revoke_own(self, request: Request) -> Response:
        """Revoke one of the reader's devices."""
        self.desk.parts.iam.protection.devices.revoke_own(request.caller, request.args["device"])
        return redirect("/me/devices")

    def applications(self, request: Request) -> Response:
        """Show which applications the reader may open, and why."""
        found = self.desk.parts.iam.protection.applications.my_applications(request.caller)
        return self.desk.page(request, "iam/apps.html", applications=found)


def _device_row(device: Device, request: Request) -> tuple[Cell, ...]:
    posture, language = device.posture, request.language
    said = []
    if posture is not None and posture.disk_encrypted:
        said.append(Text("磁盘已加密", "disk encrypted").into(language))
    if posture is not None and posture.screen_lock:
        said.append(Text("有锁屏", "screen lock").into(language))
    active = Text("有效", "active") if device.state == "active" else Text("已撤销", "revoked")
    return (
        Cell(device.name),
        Cell(device.account_id),
        Cell("—" if posture is None else f"{posture.os} {posture.version}"),
        Cell(", ".join(said) or "—"),
        Cell("—") if device.reported_at is None else Cell("", instant=device.reported_at),
        Cell(active.into(language), badge="good" if device.state == "active" else "info"),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of lock, device and application pages."""
    locks, devices = _Locks(desk), _Devices(desk)
    one = "/locks/<lock>"
    return (
        get_page("/locks", "show_locks", LOCK_READ, locks.list_locks),
        post_page("/locks", "lock_subject_form", LOCK_SET, locks.lock, level=2),
        get_page(one, "show_lock", LOCK_READ, locks.show),
        post_page(f"{one}/lift", "ask_to_lift_form", LOCK_LIFT, locks.ask, level=2),
        get_page("/devices", "show_devices", DEVICE_READ, devices.list_devices),
        post_page(
            "/devices/<device>/revoke",
            "revoke_device_form",
            DEVICE_REVOKE,
            devices.revoke,
            level=2,
        ),
        get_page("/me/devices", "show_own_devices", _OWN, devices.own),
        post_page("/me/devices", "answer_device_form", _OWN, devices.answer, level=2),
        post_page(
            "/me/devices/<device>/revoke", "revoke_own_device_form", _OWN, devices.revoke_own
        ),
        get_page("/apps", "show_applications", _OWN, devices.applications),
    )
