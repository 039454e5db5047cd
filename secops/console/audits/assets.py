"""Assets and suppliers' accesses of a system, log sources against assets, whole tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.systems import ACCESS_STATES, ClaimedSource
from audits.service.systems.forms import FIELDS, last_day, shown, version_rows
from audits.service.systems.suppliers import SupplierAccessView
from audits.service.systems.tables import MAX_TABLE, ROW_ACTIONS, XLSX
from secops.console.audits.system_parts import ACCESS_BADGES, asset_texts
from secops.console.audits.systems import written_fields
from secops.console.detectors.sources import source_link
from secops.console.parts import Desk, chosen_file, get_page, post_page, version_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_, translate
from secops.kernel.permissions.audits import READ_REGISTER, WRITE_REGISTER
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_MAX_SHOWN: Final = 200
_ACCESS_COLUMNS: Final = (
    Column("supplier", N_("供应商")),
    Column("person", N_("人员")),
    Column("system", N_("系统")),
    Column("purpose", N_("用途")),
    Column("account", N_("账户")),
    Column("until", N_("截止")),
    Column("state", N_("状态")),
)
_SOURCE_COLUMNS: Final = (
    Column("source", N_("日志来源")),
    Column("state", N_("状态")),
    Column("grade", N_("数据级别")),
    Column("assets", N_("资产")),
)


@dataclass(frozen=True, slots=True)
class _Assets:
    desk: Desk

    def add_asset(self, request: Request) -> Response:
        """Register an asset."""
        system_id = request.args["system_id"]
        written = written_fields(request.form, FIELDS["asset"])
        self.desk.parts.audits.register.assets.add_asset(
            request.caller, system_id, {name: text for name, text in written.items() if text}
        )
        return redirect(f"/systems/{system_id}")

    def show_asset(self, request: Request) -> Response:
        """Show an asset with its versions."""
        register, caller = self.desk.parts.audits.register, request.caller
        view = register.assets.show_asset(caller, request.args["asset_id"])
        system = register.systems.show_system(caller, view.asset.system_id).system
        written = asset_texts(view.asset)
        live = not view.asset.retired_at and not system.retired_at
        return self.desk.page(
            request,
            "audits/asset.html",
            view=view,
            system=system,
            fields=FIELDS["asset"],
            texts=shown(written, request.language),
            written=written,
            versions=version_rows(view.versions, request.language),
            names=self.desk.account_names(request, [v.by for v in view.versions]),
            may_write=caller.may(WRITE_REGISTER) and live,
        )

    def change_asset(self, request: Request) -> Response:
        """Change the version that the form was made for."""
        asset_id = request.args["asset_id"]
        asset = self.desk.parts.audits.register.assets.change_asset(
            request.caller,
            asset_id,
            version_of(request),
            written_fields(request.form, FIELDS["asset"]),
        )
        return redirect(f"/systems/{asset.system_id}/assets/{asset_id}")

    def retire_asset(self, request: Request) -> Response:
        """Take an asset out of use."""
        asset = self.desk.parts.audits.register.assets.retire_asset(
            request.caller,
            request.args["asset_id"],
            version_of(request),
            request.form.get("reason", ""),
        )
        return redirect(f"/systems/{asset.system_id}")

    def show_source_coverage(self, request: Request) -> Response:
        """Show log sources with the assets that claim them, and assets that claim none."""
        register, caller = self.desk.parts.audits.register, request.caller
        coverage = register.assets.show_source_coverage(caller)
        rows = [
            _source_row(request, source, readable=coverage.readable) for source in coverage.sources
        ]
        table = Table(N_("日志来源与资产"), _SOURCE_COLUMNS, rows, None, N_("还没有日志来源"))
        return self.desk.list_page(request, "audits/source_coverage.html", table, coverage=coverage)

    def add_supplier_access(self, request: Request) -> Response:
        """Register what a supplier may reach."""
        system_id = request.args["system_id"]
        self.desk.parts.audits.register.suppliers.add_supplier_access(
            request.caller, system_id, written_fields(request.form, FIELDS["supplier_access"])
        )
        return redirect(f"/systems/{system_id}")

    def end_supplier_access(self, request: Request) -> Response:
        """Note that an access was taken away."""
        access = self.desk.parts.audits.register.suppliers.end_supplier_access(
            request.caller, request.args["access_id"], version_of(request)
        )
        return redirect(f"/systems/{access.system_id}")

    def list_supplier_accesses(self, request: Request) -> Response:
        """Show what suppliers may reach, everywhere; what is over stays in sight."""
        register, caller = self.desk.parts.audits.register, request.caller
        page = register.suppliers.list_supplier_accesses(caller, wanted_page(request))
        names = {system.id: system.name for system in register.systems.live_systems(caller)}
        rows = [
            _access_row(request, view, names.get(view.access.system_id, view.access.system_id))
            for view in page.items
        ]
        table = Table(N_("供应商访问"), _ACCESS_COLUMNS, rows, page.next, N_("没有供应商访问"))
        return self.desk.list_page(request, "audits/suppliers.html", table)


@dataclass(frozen=True, slots=True)
class _Tables:
    desk: Desk

    def show_import(self, request: Request) -> Response:
        """Show where to choose the file."""
        return self.desk.page(request, "audits/register_import.html", report=None)

    def import_systems(self, request: Request) -> Response:
        """Preview the file, or import it: all rows or none."""
        upload = chosen_file(request, "table", "a file is needed")
        tables = self.desk.parts.audits.register.tables
        report = tables.preview_systems(request.caller, upload.content)
        done = request.form.get("do") == "import" and not report.faulty
        if done:
            report = tables.import_systems(request.caller, upload.content)
        return self.desk.page(
            request,
            "audits/register_import.html",
            report=report,
            done=done,
            shown=report.rows[:_MAX_SHOWN],
            faulty=report.faulty[:_MAX_SHOWN],
            actions=ROW_ACTIONS,
        )

    def export_systems(self, request: Request) -> Response:
        """Give the register as a workbook, or one table as CSV."""
        tables, kind = self.desk.parts.audits.register.tables, request.query.get("table")
        if kind in ("systems", "assets"):
            content = tables.export_table(
                request.caller, "assets" if kind == "assets" else "systems", request.language
            )
            return file_response(content, "text/csv; charset=utf-8", f"{kind}.csv")
        book = tables.export_systems(request.caller, request.language)
        return file_response(book, XLSX, "register.xlsx")


def _source_row(request: Request, source: ClaimedSource, *, readable: bool) -> tuple[Cell, ...]:
    language, known = request.language, source.known
    state, badge = (N_("未收到过日志"), "bad") if readable else ("—", "")
    if known is not None:
        state, badge = (N_("静默"), "bad") if known.silent else (N_("正常"), "good")
        if not known.registered:
            state, badge = N_("未登记"), "warn"
    grade = shown({"data_grade": known.grade if known else ""}, language)["data_grade"]
    names = "、".join(asset.name for asset in source.assets)
    unclaimed = translate(N_("无资产认领"), language)
    return (
        Cell(source.name, href=source_link(source.name)),
        Cell(translate(state, language), badge=badge),
        Cell(grade or translate(N_("未定级"), language), href="/data-policies"),
        Cell(names or unclaimed, badge="" if names else "warn"),
    )


def _access_row(request: Request, view: SupplierAccessView, system: str) -> tuple[Cell, ...]:
    access, language = view.access, request.language
    state = ACCESS_STATES[view.state].into(language)
    if view.is_late:
        state += "," + translate(N_("账户仍可用"), language)
    return (
        Cell(access.supplier),
        Cell(access.person),
        Cell(system, href=f"/systems/{access.system_id}"),
        Cell(access.purpose),
        Cell(access.account),
        Cell(last_day(access.ends_at), sort=access.ends_at),
        Cell(state, badge="bad" if view.is_late else ACCESS_BADGES[view.state]),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of assets, suppliers and tables."""
    here, tables = _Assets(desk), _Tables(desk)
    one = "/systems/<system_id>"
    asset, access = f"{one}/assets/<asset_id>", f"{one}/suppliers/<access_id>"
    reads = (
        ("/systems/log-sources", "show_source_coverage_page", here.show_source_coverage),
        ("/systems/suppliers", "show_supplier_accesses", here.list_supplier_accesses),
        ("/systems/export", "export_systems_page", tables.export_systems),
        (asset, "show_asset_page", here.show_asset),
    )
    writes = (
        (f"{one}/assets", "add_asset_form", here.add_asset),
        (asset, "change_asset_form", here.change_asset),
        (f"{asset}/retire", "retire_asset_form", here.retire_asset),
        (f"{one}/suppliers", "add_supplier_access_form", here.add_supplier_access),
        (f"{access}/end", "end_supplier_access_form", here.end_supplier_access),
    )
    return (
        *(get_page(path, name, READ_REGISTER, handler) for path, name, handler in reads),
        *(post_page(path, name, WRITE_REGISTER, handler) for path, name, handler in writes),
        get_page("/systems/import", "show_register_import", WRITE_REGISTER, tables.show_import),
        post_page(
            "/systems/import",
            "import_systems_form",
            WRITE_REGISTER,
            tables.import_systems,
            max_body=MAX_TABLE + FRAMING,
        ),
    )
