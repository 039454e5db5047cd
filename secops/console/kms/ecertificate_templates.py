"""Templates of e-certificates (证照模板): proposed as JSON, decided by another who sees changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from secops.console.parts import Desk, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    ECERTIFICATE_APPROVE,
    ECERTIFICATE_PROPOSE,
    ECERTIFICATE_READ,
)
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_STATES: Final = {
    "proposed": N_("待审批"),
    "active": N_("使用中"),
    "rejected": N_("已驳回"),
    "retired": N_("已停止使用"),
}
_COLUMNS: Final = (
    Column("name", N_("证照类型")),
    Column("version", N_("版本")),
    Column("authority", N_("颁发机构")),
    Column("code", N_("证照类型代码")),
    Column("state", N_("状态")),
    Column("created", N_("提出时间")),
)
_EXAMPLE_NAMES: Final = (
    N_("食品经营许可证"),
    N_("临江县市场监督管理局"),
    N_("经营者"),
    N_("经营项目"),
    N_("成立日期"),
)


@dataclass(frozen=True, slots=True)
class _Templates:
    desk: Desk

    def list_templates(self, request: Request) -> Response:
        """Show all versions of all types."""
        caller = request.caller
        page = self.desk.parts.kms.ecertificates.templates.list_ecertificate_templates(
            caller, wanted_page(request)
        )
        rows = [
            (
                Cell(each.wish.name, href=f"/ecertificate-templates/{each.id}"),
                Cell(f"v{each.version}", sort=each.version),
                Cell(each.wish.authority),
                Cell(each.wish.type_code),
                Cell(
                    self.desk.renderer.word(request, _STATES[each.state]),
                    badge="good" if each.state == "active" else "warn",
                ),
                Cell("", instant=each.created_at),
            )
            for each in page.items
        ]
        table = Table(N_("证照模板"), _COLUMNS, rows, page.next, N_("还没有证照模板"))
        return self.desk.list_page(
            request,
            "kms/ecertificate_templates.html",
            table,
            may_propose=caller.may(ECERTIFICATE_PROPOSE),
            example=self._example(request),
        )

    def _example(self, request: Request) -> str:
        """Return a template to begin with, in the reader's language."""
        name, authority, *titles = (
            self.desk.renderer.word(request, text) for text in _EXAMPLE_NAMES
        )
        record = {
            "type_code": "11100000000013338W032",
            "name": name,
            "authority": authority,
            "authority_code": "11220000013544541J",
            "number_prefix": "JY",
            "fields": [
                {"name": "holder", "title": titles[0], "public": "masked", "max_length": 40},
                {"name": "scope", "title": titles[1], "public": "shown", "max_length": 60},
                {"name": "founded", "title": titles[2], "kind": "date", "required": False},
            ],
            "holder_field": "holder",
            "seal_id": "seal_…",
            "validity_days": 1825,
            "format": "ofd",
        }
        return orjson.dumps(record, option=orjson.OPT_INDENT_2).decode()

    def propose_template(self, request: Request) -> Response:
        """Propose what the form's JSON describes."""
        try:
            record = orjson.loads(request.form.get("template", ""))
        except orjson.JSONDecodeError as error:
            raise Invalid("the template is not JSON") from error
        if not isinstance(record, dict):
            raise Invalid("the template is a JSON object")
        made = self.desk.parts.kms.ecertificates.templates.propose_ecertificate_template(
            request.caller, record
        )
        return redirect(f"/ecertificate-templates/{made.id}")

    def show_template(self, request: Request) -> Response:
        """Show one version, and each datum that it changes before and after."""
        caller = request.caller
        found = self.desk.parts.kms.ecertificates.templates.show_ecertificate_template(
            caller, request.args["template_id"]
        )
        return self.desk.page(
            request,
            "kms/ecertificate_template.html",
            template=found.template,
            wish=found.template.wish,
            approval=found.approval,
            changes=found.changes,
            state=_STATES[found.template.state],
            may_decide=caller.may(ECERTIFICATE_APPROVE) and found.approval.state == "pending",
            may_retire=caller.may(ECERTIFICATE_APPROVE) and found.template.state == "active",
        )

    def decide_template(self, request: Request) -> Response:
        """Put it in force or refuse it."""
        template_id, form = request.args["template_id"], request.form
        self.desk.parts.kms.ecertificates.templates.decide_ecertificate_template(
            request.caller, template_id, grant=granted(form), reason=form.get("reason", "")
        )
        return redirect(f"/ecertificate-templates/{template_id}")

    def retire_template(self, request: Request) -> Response:
        """Let it issue nothing more."""
        template_id = request.args["template_id"]
        self.desk.parts.kms.ecertificates.templates.retire_ecertificate_template(
            request.caller, template_id, request.form.get("reason", "")
        )
        return redirect(f"/ecertificate-templates/{template_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages."""
    here = _Templates(desk)
    base, one = "/ecertificate-templates", "/ecertificate-templates/<template_id>"
    return (
        get_page(base, "show_ecertificate_templates", ECERTIFICATE_READ, here.list_templates),
        post_page(
            base,
            "propose_ecertificate_template_form",
            ECERTIFICATE_PROPOSE,
            here.propose_template,
        ),
        get_page(one, "show_ecertificate_template_page", ECERTIFICATE_READ, here.show_template),
        post_page(
            f"{one}/decide",
            "decide_ecertificate_template_form",
            ECERTIFICATE_APPROVE,
            here.decide_template,
            level=2,
        ),
        post_page(
            f"{one}/retire",
            "retire_ecertificate_template_form",
            ECERTIFICATE_APPROVE,
            here.retire_template,
            level=2,
        ),
    )
