"""Templates of reports that the office made: tried, kept with every version, taken out of use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audits.models.forms import FORMS, TEMPLATE_FORMS
from audits.models.templates import ReportTemplate
from audits.service.reports.forms import form_named
from audits.service.reports.templates import BUILT_IN, MAX_TEMPLATE
from secops.console.parts import Desk, chosen_file, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.audits import MANAGE_REPORT_TEMPLATES, READ_REPORT_TEMPLATES
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_PAGE: Final = "/report-templates"
_COLUMNS: Final = (
    Column("name", N_("模板")),
    Column("form", N_("格式")),
    Column("version", N_("版本")),
    Column("state", N_("状态")),
    Column("added_at", N_("上传时间")),
    Column("added_by", N_("上传人")),
    Column("digest", N_("SHA-256")),
)


@dataclass(frozen=True, slots=True)
class _Templates:
    desk: Desk

    def list_report_templates(self, request: Request) -> Response:
        """Show all versions, newest first, and the forms."""
        caller = request.caller
        page = self.desk.parts.audits.templates.list_report_templates(caller, wanted_page(request))
        table = Table(
            N_("报告模板"),
            _COLUMNS,
            [_row(template) for template in page.items],
            page.next,
            N_("还没有自己的模板,报告使用内置格式"),
        )
        in_use = [template for template in page.items if not template.retired_at]
        may_manage = caller.may(MANAGE_REPORT_TEMPLATES)
        return self.desk.list_page(
            request,
            "audits/report_templates.html",
            table,
            may_manage=may_manage,
            retirable=in_use if may_manage else [],
            forms=TEMPLATE_FORMS,
            built_in=BUILT_IN,
        )

    def add_report_template(self, request: Request) -> Response:
        """Try the file and keep it."""
        fields = request.form
        form = form_named(fields.get("form", ""), TEMPLATE_FORMS)
        upload = chosen_file(request, "file", "choose the template's file")
        self.desk.parts.audits.templates.add_report_template(
            request.caller, form, fields.get("name", ""), upload.content
        )
        return redirect(_PAGE)

    def read_report_template(self, request: Request) -> Response:
        """Download a version."""
        template, content = self.desk.parts.audits.templates.read_report_template(
            request.caller,
            request.args["template_id"],
            form_named(request.query.get("form", "docx"), TEMPLATE_FORMS),
        )
        return file_response(
            content, "application/octet-stream", f"{template.id}.{FORMS[template.form].template}"
        )

    def retire_report_template(self, request: Request) -> Response:
        """End the use of a version."""
        self.desk.parts.audits.templates.retire_report_template(
            request.caller, request.form.get("template", "")
        )
        return redirect(_PAGE)


def _row(template: ReportTemplate) -> tuple[Cell, ...]:
    retired = bool(template.retired_at)
    return (
        Cell(template.name, href=f"{_PAGE}/{template.id}"),
        Cell(template.form),
        Cell(str(template.version), sort=template.version),
        Cell(N_("已停用") if retired else N_("使用中"), badge="" if retired else "good"),
        Cell("", instant=template.added_at),
        Cell(template.added_by),
        Cell(template.digest),
    )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the page."""
    here = _Templates(desk)
    return (
        get_page(_PAGE, "show_report_templates", READ_REPORT_TEMPLATES, here.list_report_templates),
        get_page(
            f"{_PAGE}/<template_id>",
            "download_report_template",
            READ_REPORT_TEMPLATES,
            here.read_report_template,
        ),
        post_page(
            _PAGE,
            "add_report_template_form",
            MANAGE_REPORT_TEMPLATES,
            here.add_report_template,
            max_body=MAX_TEMPLATE + FRAMING,
        ),
        post_page(
            f"{_PAGE}/retirement",
            "retire_report_template_form",
            MANAGE_REPORT_TEMPLATES,
            here.retire_report_template,
        ),
    )
