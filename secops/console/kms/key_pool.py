"""The key pool: backends and how they fare, where keys are and when they are due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from kms.models.backends import SOFTWARE, BackendStatus, KeyCustody
from kms.service.presenting_backends import is_in_device, is_national
from secops.console.kms.keys import KEY_STATES
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table, export_table, view_table
from secops.console.texts import N_
from secops.kernel.actors import ROOT_ORG
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import BACKEND_DRAIN, BACKEND_READ
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_HERE: Final = "/key-pool"
_KINDS: Final = {
    "software": N_("软件"),
    "pkcs11": N_("密码令牌 (PKCS#11)"),
    "sdf": N_("密码机 (GM/T 0018)"),
}
_POOL: Final = {
    "unlocked": (N_("已解锁"), "good"),
    "locked": (N_("已锁定"), "bad"),
    "uninitialised": (N_("未初始化"), "bad"),
}
_BACKENDS: Final = (
    Column("name", N_("密码设备")),
    Column("kind", N_("托管方式")),
    Column("centre", N_("中心")),
    Column("group", N_("互备组")),
    Column("health", N_("健康状态")),
    Column("draining", N_("新密钥")),
    Column("keys", N_("算法分布")),
    Column("rate", N_("每秒调用")),
    Column("checked", N_("最近自检")),
)
_KEYS: Final = (
    Column("name", N_("密钥")),
    Column("type", N_("类型")),
    Column("state", N_("状态")),
    Column("places", N_("所在设备")),
    Column("version", N_("版本")),
    Column("rotated", N_("最近轮换")),
    Column("due", N_("轮换到期")),
    Column("users", N_("授权用户数")),
    Column("algorithm", N_("密评 A 算法")),
    Column("custody", N_("密评 K 密钥保护")),
)


@dataclass(frozen=True, slots=True)
class _KeyPool:
    desk: Desk

    def show_key_pool(self, request: Request) -> Response:
        """Show backends and keys; ``?backend=`` keeps to keys with a version there."""
        kms, caller = self.desk.parts.kms, request.caller
        backend = request.query.get("backend", "")
        page = kms.backend_control.list_custody(caller, wanted_page(request), backend=backend)
        rows = [self._key_row(request, each) for each in page.items]
        table = Table(N_("密钥"), _KEYS, rows, page.next, N_("还没有密钥"))
        found = kms.backend_control.list_backends(caller)
        listed = [self._backend_row(request, each) for each in found]
        empty = N_("没有配置密码设备:全部密钥由软件保护")
        devices = Table(N_("密码设备"), _BACKENDS, listed, empty=empty)
        if request.query.get("list") == "backends":
            return export_table(request, devices, "key_backends")
        export = "?format=csv&list=backends"
        state, badge = _POOL[kms.pool.status().state]
        return self.desk.list_page(
            request,
            "kms/key_pool.html",
            table,
            backends=replace(view_table(request, devices), export_href=export, workbook_href=""),
            switchable=found if caller.may(BACKEND_DRAIN) and caller.org_id == ROOT_ORG else (),
            chosen=backend,
            pool_state=state,
            pool_badge=badge,
        )

    def _backend_row(self, request: Request, backend: BackendStatus) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        health = word(request, N_("正常")) if backend.healthy else backend.failure
        taking = N_("排空中") if backend.draining else N_("接收")
        return (
            Cell(backend.name, href=f"{_HERE}?backend={backend.name}"),
            Cell(word(request, _KINDS[backend.kind])),
            Cell(backend.centre),
            Cell(backend.group),
            Cell(health, badge="good" if backend.healthy else "bad"),
            Cell(word(request, taking), badge="warn" if backend.draining else "good"),
            Cell(", ".join(f"{kind} × {count}" for kind, count in backend.keys.items())),
            Cell(f"{backend.rate:.2f}", sort=round(backend.rate * 100)),
            Cell("") if backend.checked_at is None else Cell("", instant=backend.checked_at),
        )

    def _key_row(self, request: Request, key: KeyCustody) -> tuple[Cell, ...]:
        word, due = self.desk.renderer.word, key.rotation_due_at
        late = due is not None and due <= self.desk.parts.clock.now()
        places = sorted(key.places)
        here = [word(request, N_("软件")) if each == SOFTWARE else each for each in places]
        national, device = is_national(key), is_in_device(key)
        state, badge = KEY_STATES[key.state]
        return (
            Cell(key.name, href=f"/keys/{key.name}?mount={key.mount}"),
            Cell(key.type),
            Cell(word(request, state), badge=badge),
            Cell(", ".join(here)),
            Cell(str(key.latest_version), sort=key.latest_version),
            Cell("", instant=key.rotated_at),
            Cell("—") if due is None else Cell("", instant=due, badge="bad" if late else ""),
            Cell(str(key.users), sort=key.users),
            Cell(
                word(request, N_("国密算法") if national else N_("非国密算法")),
                badge="good" if national else "warn",
            ),
            Cell(
                word(request, N_("在设备内") if device else N_("软件保护")),
                badge="good" if device else "warn",
            ),
        )

    def switch_backend(self, request: Request) -> Response:
        """Drain or resume a backend."""
        control, name = self.desk.parts.kms.backend_control, request.args["name"]
        acts = {"drain": control.drain_backend, "resume": control.resume_backend}
        act = acts.get(request.form.get("to", ""))
        if act is None:
            raise Invalid("a backend is drained or resumed")
        act(request.caller, name)
        return redirect(_HERE)

    def check_backend(self, request: Request) -> Response:
        """Check a backend now."""
        self.desk.parts.kms.backend_control.check_backend(request.caller, request.args["name"])
        return redirect(_HERE)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pool's page."""
    here = _KeyPool(desk)
    backend = f"{_HERE}/backends/<name>"
    return (
        get_page(_HERE, "show_key_pool", BACKEND_READ, here.show_key_pool),
        post_page(f"{backend}/check", "check_backend_form", BACKEND_READ, here.check_backend),
        post_page(
            f"{backend}/switch", "switch_backend_form", BACKEND_DRAIN, here.switch_backend, level=2
        ),
    )
