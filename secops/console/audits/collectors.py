"""Bundles of hosts: which assets have one, how old it is, what it could not read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audits.models.collectors import (
    FRESH_DAYS,
    MAX_BUNDLE_BYTES,
    VALID_DAYS,
    AssetCollection,
    ImportedBundle,
    SectionState,
)
from audits.models.evidence import Fact
from audits.models.systems import ASSET_KINDS, THIS_INSTANCE
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_, translate
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.errors import NotFound
from secops.kernel.permissions.audits import IMPORT_BUNDLE, READ_BUNDLES, READ_REGISTER
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("资产")),
    Column("kind", N_("类别")),
    Column("address", N_("地址")),
    Column("bundle", N_("最新采集包")),
    Column("age", N_("采集距今(天)")),
    Column("unread", N_("未能读取")),
)
_BUNDLE_COLUMNS: Final = (
    Column("id", N_("采集包")),
    Column("asset", N_("资产")),
    Column("host", N_("主机")),
    Column("collected", N_("采集时间")),
    Column("imported", N_("导入时间")),
    Column("by", N_("导入人")),
    Column("unread", N_("未能读取")),
)
_FACT_COLUMNS: Final = (
    Column("kind", N_("类型")),
    Column("fact", N_("事实")),
    Column("seen", N_("取值")),
)
_NOTHING: Final = N_("没有采集包")
_STATES: Final[Mapping[SectionState, tuple[str, str]]] = {
    "ok": (N_("已读取"), "good"),
    "cut": (N_("已截断"), "warn"),
    "failed": (N_("执行失败"), "bad"),
    "missing": (N_("主机上没有"), "warn"),
    "denied": (N_("无权读取"), "bad"),
}


@dataclass(frozen=True, slots=True)
class _Collectors:
    desk: Desk

    def list_collections(self, request: Request) -> Response:
        """Show a system's assets with the age of their newest bundle."""
        chosen, language = request.query.get("system", THIS_INSTANCE), request.language
        page = self.desk.parts.audits.collectors.list_collections(
            request.caller, wanted_page(request), chosen
        )
        rows = [_collection_row(each, language) for each in page.items]
        table = Table(N_("配置采集"), _COLUMNS, rows, page.next, N_("该系统还没有可采集的资产"))
        return self.desk.list_page(
            request,
            "audits/collectors.html",
            table,
            systems=self._systems(request.caller),
            chosen=chosen,
            may_import=request.caller.may(IMPORT_BUNDLE),
            valid_days=VALID_DAYS,
            fresh_days=FRESH_DAYS,
        )

    def _systems(self, caller: Actor) -> list[tuple[str, str]]:
        """Return the systems a reader of the register may choose from; this platform first."""
        here = [(THIS_INSTANCE, N_("本平台"))]
        if not caller.may(READ_REGISTER):
            return here
        live = self.desk.parts.audits.register.systems.live_systems(caller)
        return here + [(each.id, each.name) for each in live if each.id != THIS_INSTANCE]

    def import_bundle(self, request: Request) -> Response:
        """Keep an uploaded bundle; go on to it."""
        form = request.form
        upload = chosen_file(request, "bundle", "choose a bundle of collect_host.sh")
        imported = self.desk.parts.audits.collectors.import_bundle(
            request.caller,
            upload.content,
            system_id=form.get("system", "") or THIS_INSTANCE,
            asset_id=form.get("asset", "").strip(),
        )
        return redirect(f"/collectors/bundles/{imported[0].id}")

    def list_bundles(self, request: Request) -> Response:
        """Show what was imported, of one asset where ``?asset=`` names it."""
        asset = request.query.get("asset", "")
        page = self.desk.parts.audits.collectors.list_bundles(
            request.caller, wanted_page(request), asset
        )
        rows = [_bundle_row(each) for each in page.items]
        table = Table(
            N_("采集包"), _BUNDLE_COLUMNS, rows, page.next, N_("还没有导入采集包"), ordered=True
        )
        return self.desk.list_page(request, "audits/bundles.html", table, chosen=asset)

    def show_bundle(self, request: Request) -> Response:
        """Show the facts of one bundle, what was not read; ``?section=`` shows a text in it."""
        service = self.desk.parts.audits.collectors
        shown = service.show_bundle(request.caller, request.args["bundle_id"])
        wanted = request.query.get("section", "")
        section = next((each for each in shown.sections if each.name == wanted), None)
        if wanted and section is None:
            raise NotFound("the bundle has no such section")
        rows = [
            (Cell(reading.kind), Cell(name), Cell(_said(value)))
            for reading in shown.readings
            for name, value in reading.facts.items()
        ]
        return self.desk.list_page(
            request,
            "audits/bundle.html",
            Table(N_("读出的事实"), _FACT_COLUMNS, rows, empty=N_("没有读出事实")),
            bundle=shown.bundle,
            sections=shown.sections,
            section=section,
            states=_STATES,
        )


def _collection_row(each: AssetCollection, language: Language) -> tuple[Cell, ...]:
    newest = each.newest
    kind = Cell(ASSET_KINDS[each.kind].into(language))
    if newest is None or each.age_days is None:
        nothing = Cell(translate(_NOTHING, language), badge="bad")
        return Cell(each.name), kind, Cell(each.address), nothing, Cell(""), Cell("")
    fresh, valid = each.age_days <= FRESH_DAYS, each.age_days <= VALID_DAYS
    return (
        Cell(each.name, href=f"/collectors/bundles?asset={each.asset_id}"),
        kind,
        Cell(each.address),
        Cell(newest.host, href=f"/collectors/bundles/{newest.id}"),
        Cell(
            str(each.age_days),
            badge="good" if fresh else "warn" if valid else "bad",
            sort=each.age_days,
        ),
        Cell(
            str(len(newest.unread)), badge="warn" if newest.unread else "", sort=len(newest.unread)
        ),
    )


def _bundle_row(each: ImportedBundle) -> tuple[Cell, ...]:
    return (
        Cell(each.id, href=f"/collectors/bundles/{each.id}"),
        Cell(each.asset_name),
        Cell(each.host),
        Cell("", instant=each.collected_at),
        Cell("", instant=each.imported_at),
        Cell(each.imported_by),
        Cell(str(len(each.unread)), badge="warn" if each.unread else "", sort=len(each.unread)),
    )


def _said(value: Fact) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the collectors' pages."""
    here = _Collectors(desk)
    bundles = "/collectors/bundles"
    return (
        get_page("/collectors", "show_collectors", READ_BUNDLES, here.list_collections),
        post_page(
            "/collectors",
            "import_bundle_form",
            IMPORT_BUNDLE,
            here.import_bundle,
            max_body=MAX_BUNDLE_BYTES + FRAMING,
        ),
        get_page(bundles, "show_bundles", READ_BUNDLES, here.list_bundles),
        get_page(f"{bundles}/<bundle_id>", "show_bundle_page", READ_BUNDLES, here.show_bundle),
    )
