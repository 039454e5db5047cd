"""Systems: the list, one system with all that hangs on it, the aid for grading, the data sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from audits.models.calculations import DEGREES, HARMED
from audits.models.filing import FILING_FORMS
from audits.models.forms import FORMS
from audits.models.systems import SOON_DAYS, THIS_INSTANCE, System
from audits.service.reports.forms import form_named
from audits.service.systems.documents import system_document
from audits.service.systems.forms import FIELDS, STANDINGS, FormField, last_day, shown, version_rows
from audits.service.systems.systems import SystemView
from secops.console.audits.system_parts import ACCESS_BADGES, STANDING_BADGES, asset_table
from secops.console.parts import Desk, get_page, post_page, version_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.audits import (
    READ_ASSESSMENTS,
    READ_RECORDS,
    READ_REGISTER,
    WRITE_REGISTER,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_COLUMNS: Final = (
    Column("name", N_("系统")),
    Column("level", N_("定级")),
    Column("owner", N_("责任人")),
    Column("grade", N_("数据级别")),
    Column("filing", N_("备案号")),
    Column("filed", N_("备案有效期至")),
    Column("test", N_("下次测评不晚于")),
    Column("assets", N_("资产数")),
)


@dataclass(frozen=True, slots=True)
class _Systems:
    desk: Desk

    def list_systems(self, request: Request) -> Response:
        """Show this platform and the systems in use, with what is due."""
        service, caller = self.desk.parts.audits.register.systems, request.caller
        page = service.list_systems(caller, wanted_page(request))
        ids = [system.id for system in page.items]
        if THIS_INSTANCE not in ids and "cursor" not in request.query:
            ids.insert(0, THIS_INSTANCE)
        rows = [_row(request, service.show_system(caller, system_id)) for system_id in ids]
        table = Table(N_("系统台账"), _COLUMNS, rows, page.next, N_("还没有登记系统"))
        return self.desk.list_page(
            request,
            "audits/systems.html",
            table,
            fields=FIELDS["system"],
            soon=SOON_DAYS,
            may_write=caller.may(WRITE_REGISTER),
        )

    def add_system(self, request: Request) -> Response:
        """Register a system."""
        written = written_fields(request.form, FIELDS["system"])
        system = self.desk.parts.audits.register.systems.add_system(
            request.caller, {name: text for name, text in written.items() if text}
        )
        return redirect(f"/systems/{system.id}")

    def show_system(self, request: Request) -> Response:
        """Show a system: what is known, what is due, its assets, suppliers, records, versions."""
        audits, caller = self.desk.parts.audits, request.caller
        system_id = request.args["system_id"]
        view = audits.register.systems.show_system(caller, system_id)
        page = audits.register.assets.list_assets(caller, system_id, wanted_page(request))
        may_write = caller.may(WRITE_REGISTER) and not view.system.retired_at
        return self.desk.list_page(
            request,
            "audits/system.html",
            asset_table(request, page),
            view=view,
            texts=shown(_texts(view.system), request.language),
            written=_texts(view.system),
            fields=FIELDS,
            standings=STANDINGS,
            last_day=last_day,
            badges=STANDING_BADGES,
            accesses=audits.register.suppliers.supplier_accesses_of(caller, system_id),
            access_badges=ACCESS_BADGES,
            versions=version_rows(view.versions, request.language),
            names=self.desk.account_names(request, [v.by for v in view.versions]),
            may_write=may_write,
            may_read_assessments=caller.may(READ_ASSESSMENTS),
            may_read_records=caller.may(READ_RECORDS),
        )

    def change_system(self, request: Request) -> Response:
        """Change the version that the form was made for."""
        system_id = request.args["system_id"]
        written = written_fields(request.form, (*FIELDS["system"], *FIELDS["details"]))
        self.desk.parts.audits.register.systems.change_system(
            request.caller, system_id, version_of(request), written
        )
        return redirect(f"/systems/{system_id}")

    def retire_system(self, request: Request) -> Response:
        """Take a system out of use."""
        system_id = request.args["system_id"]
        self.desk.parts.audits.register.systems.retire_system(
            request.caller, system_id, version_of(request), request.form.get("reason", "")
        )
        return redirect("/systems")

    def show_grading(self, request: Request) -> Response:
        """Propose a level from what the address says of the harm; nothing is stored."""
        harms: dict[str, dict[Any, Any]] = {
            part: {
                who: request.query[f"{part}_{who}"]
                for who in HARMED
                if request.query.get(f"{part}_{who}")
            }
            for part in ("information", "service")
        }
        grading = None
        if all(harms.values()):
            grading = self.desk.parts.audits.register.systems.grade_system(
                request.caller, harms["information"], harms["service"]
            )
        return self.desk.page(
            request,
            "audits/grading.html",
            grading=grading,
            harms=harms,
            harmed=HARMED,
            degrees=DEGREES,
            asked=bool(request.query),
        )

    def show_filing_sheet(self, request: Request) -> Response:
        """Show the filing data sheet as a page to print, or give it as a file."""
        service, system_id = self.desk.parts.audits.register.systems, request.args["system_id"]
        if "format" in request.query:
            form = form_named(request.query["format"], FILING_FORMS)
            content = service.export_filing_sheet(request.caller, system_id, form, request.language)
            return file_response(content, FORMS[form].media_type, f"filing.{form}")
        view = service.show_system(request.caller, system_id)
        sheet = service.show_filing_sheet(request.caller, system_id, request.language)
        return self.desk.page(request, "audits/filing_sheet.html", view=view, sheet=sheet)


def written_fields(form: Mapping[str, str], fields: Sequence[FormField]) -> dict[str, str]:
    """Return what a form says of ``fields``; boxes of one field come apart and are joined."""
    written: dict[str, str] = {}
    for field in fields:
        if field.kind == "several":
            if f"{field.name}_asked" in form:
                ticked = [word for word in field.words if form.get(f"{field.name}_{word}")]
                written[field.name] = ";".join(ticked)
        elif field.name in form:
            written[field.name] = form[field.name]
    return written


def _texts(system: System) -> dict[str, str]:
    return {name: str(text or "") for name, text in system_document(system).items()}


def _row(request: Request, view: SystemView) -> tuple[Cell, ...]:
    system = view.system
    grade = shown({"data_grade": system.data_grade}, request.language)["data_grade"]
    dues = []
    for due in (view.filing, view.test):
        badge = STANDING_BADGES[due.standing]
        if due.at:
            dues.append(Cell(last_day(due.at), sort=due.at, badge=badge))
        else:
            text = STANDINGS["unknown"].into(request.language) if due.standing == "unknown" else "—"
            dues.append(Cell(text, badge=badge if due.standing == "unknown" else "", sort=0))
    return (
        Cell(system.name, href=f"/systems/{system.id}"),
        Cell(system.sag),
        Cell(system.owner),
        Cell(grade, sort=system.data_grade),
        Cell(system.filing_number),
        *dues,
        Cell(str(view.assets), sort=view.assets),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages of systems."""
    here = _Systems(desk)
    one = "/systems/<system_id>"
    return (
        get_page("/systems", "show_systems", READ_REGISTER, here.list_systems),
        post_page("/systems", "add_system_form", WRITE_REGISTER, here.add_system),
        get_page("/systems/grading", "show_grading", READ_REGISTER, here.show_grading),
        get_page(one, "show_system_page", READ_REGISTER, here.show_system),
        post_page(one, "change_system_form", WRITE_REGISTER, here.change_system),
        post_page(f"{one}/retire", "retire_system_form", WRITE_REGISTER, here.retire_system),
        get_page(f"{one}/filing-sheet", "show_filing_sheet", READ_REGISTER, here.show_filing_sheet),
    )
