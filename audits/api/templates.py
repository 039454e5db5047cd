"""HTTP of report templates: the file is the body, its form and name stand in the query."""

from __future__ import annotations

from typing import Final

from audits.models.forms import FORMS, TEMPLATE_FORMS
from audits.service.reports.forms import form_named
from audits.service.reports.templates import MAX_TEMPLATE, ReportTemplateService, template_view
from secops.kernel.permissions.audits import MANAGE_REPORT_TEMPLATES, READ_REPORT_TEMPLATES
from secops.web.messages import Request, Response, file_response, json_response
from secops.web.paging import page_response, wanted_page
from secops.web.routes import Route, named_route

_BASE: Final = "/api/v1/audits/report-templates"


class _Templates:
    def __init__(self, templates: ReportTemplateService) -> None:
        self._templates = templates

    def add_report_template(self, request: Request) -> Response:
        form = form_named(request.query.get("form", ""), TEMPLATE_FORMS)
        name = request.query.get("name", "")
        added = self._templates.add_report_template(request.caller, form, name, request.body)
        return json_response(template_view(added), 201)

    def list_report_templates(self, request: Request) -> Response:
        page = self._templates.list_report_templates(request.caller, wanted_page(request))
        return page_response(page, template_view)

    def read_report_template(self, request: Request) -> Response:
        template, content = self._templates.read_report_template(
            request.caller,
            request.args["template_id"],
            form_named(request.query.get("form", "docx"), TEMPLATE_FORMS),
        )
        return file_response(
            content, "application/octet-stream", f"{template.id}.{FORMS[template.form].template}"
        )

    def retire_report_template(self, request: Request) -> Response:
        retired = self._templates.retire_report_template(
            request.caller, request.args["template_id"]
        )
        return json_response(template_view(retired))


def template_routes(templates: ReportTemplateService) -> tuple[Route, ...]:
    """Return the routes of report templates."""
    here = _Templates(templates)
    one = f"{_BASE}/<template_id>"
    return (
        named_route("GET", _BASE, READ_REPORT_TEMPLATES, here.list_report_templates, listing=True),
        named_route(
            "POST",
            _BASE,
            MANAGE_REPORT_TEMPLATES,
            here.add_report_template,
            max_body=MAX_TEMPLATE,
        ),
        named_route("GET", f"{one}/content", READ_REPORT_TEMPLATES, here.read_report_template),
        named_route(
            "POST", f"{one}/retirement", MANAGE_REPORT_TEMPLATES, here.retire_report_template
        ),
    )
