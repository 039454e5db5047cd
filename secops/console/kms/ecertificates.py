"""E-certificates (电子证照): what was issued, one of them, and the form that issues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kms.models.ecertificates import NOT_ENDED, ECertificate, IssueRequest
from secops.console.parts import FRESH, Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.pages import MAX_LIMIT, PageRequest
from secops.kernel.permissions.kms import (
    ECERTIFICATE_ISSUE,
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
    ECERTIFICATE_RESUME,
    ECERTIFICATE_STOP,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

STATES: Final = {
    "valid": N_("有效"),
    "suspended": N_("已暂停"),
    "revoked": N_("已吊销"),
    "superseded": N_("已换发"),
    "expired": N_("已过期"),
    "not_yet_valid": N_("尚未生效"),
}
PREFIX: Final = "value_"
"""Before a field's name in a form: the template's names are its own."""
_FILTERS: Final = ("number", "template_id", "batch_id")
_COLUMNS: Final = (
    Column("number", N_("证照编号")),
    Column("type", N_("证照类型")),
    Column("holder", N_("持证主体")),
    Column("state", N_("状态")),
    Column("issued", N_("签发时间")),
    Column("until", N_("有效至")),
)


@dataclass(frozen=True, slots=True)
class _ECertificates:
    desk: Desk

    def list_ecertificates(self, request: Request) -> Response:
        """Show what was issued, holders masked."""
        here, caller = self.desk.parts.kms.ecertificates, request.caller
        filters = {name: request.query[name] for name in _FILTERS if request.query.get(name)}
        page = here.registry.list_ecertificates(caller, wanted_page(request), filters)
        now = here.registry.now()
        rows = [self._row(request, each, now) for each in page.items]
        table = Table(N_("电子证照"), _COLUMNS, rows, page.next, N_("还没有电子证照"))
        return self.desk.list_page(
            request,
            "kms/ecertificates.html",
            table,
            templates=active_templates(self.desk, request),
            may_issue=caller.may(ECERTIFICATE_ISSUE),
            number=filters.get("number", ""),
        )

    def _row(self, request: Request, each: ECertificate, now: int) -> tuple[Cell, ...]:
        state = each.standing(now)
        word = self.desk.renderer.word(request, STATES[state])
        until = Cell("", instant=each.valid_until)
        return (
            Cell(each.number, href=f"/ecertificates/{each.id}"),
            Cell(each.type_name),
            Cell(each.holder_masked),
            Cell(word, badge="good" if state == "valid" else "bad"),
            Cell("", instant=each.issued_at),
            Cell(self.desk.renderer.word(request, N_("长期")))
            if each.valid_until is None
            else until,
        )

    def ask(self, request: Request) -> Response:
        """Ask for the data of one holder, as the template wants them."""
        template_id = request.query.get("template_id", "")
        found = self.desk.parts.kms.ecertificates.templates.show_ecertificate_template(
            request.caller, template_id
        )
        return self.desk.page(
            request,
            "kms/ecertificate_issue.html",
            template=found.template,
            prefix=PREFIX,
            replaces=request.query.get("replaces", ""),
        )

    def issue_ecertificate(self, request: Request) -> Response:
        """Issue one."""
        form = request.form
        values = {
            name.removeprefix(PREFIX): value
            for name, value in form.items()
            if name.startswith(PREFIX)
        }
        wish = IssueRequest(
            form.get("template_id", ""),
            values,
            form.get("number", "").strip(),
            form.get("replaces", "").strip(),
        )
        issued = self.desk.parts.kms.ecertificates.issuing.issue_ecertificate(request.caller, wish)
        return redirect(f"/ecertificates/{issued.id}")

    def show_ecertificate(self, request: Request) -> Response:
        """Show one without the holder's data."""
        return self._page(request)

    def open_ecertificate(self, request: Request) -> Response:
        """Show the holder's data and the link, or hand out the file; each is recorded."""
        opened = self.desk.parts.kms.ecertificates.registry.open_ecertificate(
            request.caller, request.args["ecertificate_id"]
        )
        if request.form.get("as") == "file":
            name = f"{opened.record.identifier}.{opened.format}"
            return file_response(opened.document, f"application/{opened.format}", name)
        return self._page(request, opened.values, opened.link)

    def _page(self, request: Request, values: object = None, link: str = "") -> Response:
        registry, caller = self.desk.parts.kms.ecertificates.registry, request.caller
        found = registry.show_ecertificate(caller, request.args["ecertificate_id"])
        state, lasts = found.record.standing(registry.now()), found.record.state in NOT_ENDED
        return self.desk.page(
            request,
            "kms/ecertificate.html",
            one=found.record,
            template=found.template,
            replaced_by=found.replaced_by,
            state=state,
            states=STATES,
            values=values,
            link=link,
            may_open=caller.may(ECERTIFICATE_OPEN),
            may_stop=caller.may(ECERTIFICATE_STOP) and lasts,
            may_resume=caller.may(ECERTIFICATE_RESUME),
            may_reissue=caller.may(ECERTIFICATE_ISSUE) and lasts,
        )

    def switch_ecertificate(self, request: Request) -> Response:
        """Suspend or revoke."""
        form, ecertificate_id = request.form, request.args["ecertificate_id"]
        registry = self.desk.parts.kms.ecertificates.registry
        acts = {
            "suspend": registry.suspend_ecertificate,
            "revoke": registry.revoke_ecertificate,
        }
        act = acts.get(form.get("to", ""))
        if act is None:
            raise Invalid("an e-certificate is suspended or revoked")
        act(request.caller, ecertificate_id, form.get("reason", ""))
        return redirect(f"/ecertificates/{ecertificate_id}")

    def resume_ecertificate(self, request: Request) -> Response:
        """Let a suspended one count again."""
        ecertificate_id = request.args["ecertificate_id"]
        self.desk.parts.kms.ecertificates.registry.resume_ecertificate(
            request.caller, ecertificate_id, request.form.get("reason", "")
        )
        return redirect(f"/ecertificates/{ecertificate_id}")


def active_templates(desk: Desk, request: Request) -> list[tuple[str, str]]:
    """Return (id, title) of the templates that issue, of the newest ones."""
    page = desk.parts.kms.ecertificates.templates.list_ecertificate_templates(
        request.caller, PageRequest(MAX_LIMIT)
    )
    return [
        (each.id, f"{each.wish.name} v{each.version}")
        for each in page.items
        if each.state == "active"
    ]


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages."""
    here = _ECertificates(desk)
    one = "/ecertificates/<ecertificate_id>"
    return (
        get_page(
            "/ecertificates", "show_ecertificates", ECERTIFICATE_READ, here.list_ecertificates
        ),
        get_page("/ecertificates/issue", "ask_ecertificate", ECERTIFICATE_ISSUE, here.ask),
        post_page(
            "/ecertificates/issue",
            "issue_ecertificate_form",
            ECERTIFICATE_ISSUE,
            here.issue_ecertificate,
            **FRESH,
        ),
        get_page(one, "show_ecertificate_page", ECERTIFICATE_READ, here.show_ecertificate),
        post_page(
            f"{one}/open",
            "open_ecertificate_form",
            ECERTIFICATE_OPEN,
            here.open_ecertificate,
            level=2,
        ),
        post_page(
            f"{one}/switch",
            "switch_ecertificate_form",
            ECERTIFICATE_STOP,
            here.switch_ecertificate,
            level=2,
        ),
        post_page(
            f"{one}/resume",
            "resume_ecertificate_form",
            ECERTIFICATE_RESUME,
            here.resume_ecertificate,
            level=2,
        ),
    )
