"""Batches of e-certificates: dry run with a table of problems, progress, rows, the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from kms.models.ecertificates import BatchRow, Problem
from secops.console.kms.ecertificates import active_templates
from secops.console.parts import FRESH, Desk, chosen_file, get_page, post_page, whole_number
from secops.console.tables import Cell, Column, Table, export_table, view_table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.kms import (
    ECERTIFICATE_ISSUE,
    ECERTIFICATE_OPEN,
    ECERTIFICATE_READ,
)
from secops.web.limits import FRAMING
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_MAX_BODY: Final = (4 << 20) + FRAMING
_PART_DIGITS: Final = 3
TASK_STATES: Final = {
    "queued": N_("等待中"),
    "running": N_("进行中"),
    "done": N_("已完成"),
    "failed": N_("已停止"),
    "cancelled": N_("已取消"),
}
_ROW_STATES: Final = {"waiting": N_("等待中"), "issued": N_("已签发"), "failed": N_("未签发")}
_COLUMNS: Final = (
    Column("name", N_("批次")),
    Column("state", N_("状态")),
    Column("done", N_("已处理")),
    Column("total", N_("总数")),
    Column("ordered", N_("下达时间")),
)
_ROWS: Final = (
    Column("row", N_("行号")),
    Column("state", N_("状态")),
    Column("number", N_("证照编号")),
    Column("holder", N_("持证主体")),
    Column("why", N_("原因")),
)
_PROBLEMS: Final = (
    Column("row", N_("行号")),
    Column("field", N_("数据项")),
    Column("why", N_("原因")),
)


@dataclass(frozen=True, slots=True)
class _Batches:
    desk: Desk

    def list_batches(self, request: Request) -> Response:
        """Show batches with their progress, and the form that orders one."""
        return self._list(request)

    def _list(
        self, request: Request, total: int = 0, problems: Sequence[Problem] | None = None
    ) -> Response:
        caller = request.caller
        page = self.desk.parts.kms.ecertificates.batches.list_ecertificate_batches(
            caller, wanted_page(request)
        )
        rows = [
            (
                Cell(batch.name, href=f"/ecertificate-batches/{batch.id}"),
                Cell(self.desk.renderer.word(request, TASK_STATES[task.state])),
                Cell(str(task.done), sort=task.done),
                Cell(str(task.total), sort=task.total),
                Cell("", instant=batch.ordered_at),
            )
            for batch, task in page.items
        ]
        table = Table(N_("批量签发"), _COLUMNS, rows, page.next, N_("还没有批次"))
        may_issue = caller.may(ECERTIFICATE_ISSUE)
        found = None if problems is None else self._problems(request, problems)
        return self.desk.list_page(
            request,
            "kms/ecertificate_batches.html",
            table,
            templates=active_templates(self.desk, request) if may_issue else [],
            may_issue=may_issue,
            total=total,
            problems=None if found is None else view_table(request, found),
        )

    def check_batch(self, request: Request) -> Response:
        """Try all rows; show what is wrong with which, or hand it out as CSV."""
        template_id, content, _ = _upload(request)
        check = self.desk.parts.kms.ecertificates.batches.check_ecertificate_batch(
            request.caller, template_id, content
        )
        if request.form.get("as") == "file":
            return export_table(request, self._problems(request, check.problems), "problems")
        return self._list(request, check.total, check.problems)

    def _problems(self, request: Request, problems: Sequence[Problem]) -> Table:
        rows = [
            (
                Cell(str(each.row), sort=each.row),
                Cell(each.field),
                Cell(each.why.into(request.language)),
            )
            for each in problems
        ]
        return Table(N_("试运行发现的问题"), _PROBLEMS, rows, None, N_("没有问题"))

    def order_batch(self, request: Request) -> Response:
        """Order the batch; the scheduler does the work."""
        template_id, content, name = _upload(request)
        batch = self.desk.parts.kms.ecertificates.batches.order_ecertificate_batch(
            request.caller, template_id, content, name=name
        )
        return redirect(f"/ecertificate-batches/{batch.id}")

    def show_batch(self, request: Request) -> Response:
        """Show progress, why it was stopped, and the rows."""
        batches, caller = self.desk.parts.kms.ecertificates.batches, request.caller
        batch_id = request.args["batch_id"]
        found = batches.show_ecertificate_batch(caller, batch_id)
        page = batches.list_ecertificate_rows(caller, batch_id, wanted_page(request))
        rows = [self._row(request, row) for row in page.items]
        table = Table(N_("批次的各行"), _ROWS, rows, page.next)
        mine = caller.id == found.batch.ordered_by and caller.may(ECERTIFICATE_ISSUE)
        parts = found.parts if found.counts["issued"] else 0
        return self.desk.list_page(
            request,
            "kms/ecertificate_batch.html",
            table,
            batch=found.batch,
            task=found.task,
            counts=found.counts,
            state=TASK_STATES[found.task.state],
            why=_why(found.task.result, request.language),
            may_cancel=mine and found.task.state in ("queued", "running", "failed"),
            may_resume=mine and found.task.state == "failed",
            parts=range(1, parts + 1) if caller.may(ECERTIFICATE_OPEN) else (),
        )

    def _row(self, request: Request, row: BatchRow) -> tuple[Cell, ...]:
        href = f"/ecertificates/{row.certificate_id}" if row.certificate_id else ""
        return (
            Cell(str(row.n), sort=row.n),
            Cell(self.desk.renderer.word(request, _ROW_STATES[row.state])),
            Cell(row.number, href=href),
            Cell(row.holder_masked),
            Cell(_why(row.error, request.language)),
        )

    def switch_batch(self, request: Request) -> Response:
        """Go on with a stopped batch, or issue no further row."""
        batch_id, batches = request.args["batch_id"], self.desk.parts.kms.ecertificates.batches
        acts = {
            "resume": batches.resume_ecertificate_batch,
            "cancel": batches.cancel_ecertificate_batch,
        }
        act = acts.get(request.form.get("to", ""))
        if act is None:
            raise Invalid("a batch goes on or is cancelled")
        act(request.caller, batch_id)
        return redirect(f"/ecertificate-batches/{batch_id}")

    def zip_batch(self, request: Request) -> Response:
        """Hand out one part of the files."""
        part = whole_number(request.args["part"], _PART_DIGITS)
        if part is None:
            raise Invalid("a part is a number")
        batch_id = request.args["batch_id"]
        content = self.desk.parts.kms.ecertificates.batches.zip_ecertificate_batch(
            request.caller, batch_id, part
        )
        return file_response(content, "application/zip", f"{batch_id}-{part}.zip")


def _upload(request: Request) -> tuple[str, bytes, str]:
    """Return the template, the file's bytes, and the batch's name or else the file's."""
    upload = chosen_file(request, "rows", "choose a CSV or JSON Lines file")
    form = request.form
    name = form.get("name", "").strip() or upload.filename
    return form.get("template_id", ""), upload.content, name


def _why(text: str, language: str) -> str:
    return str(orjson.loads(text).get(language, "")) if text else ""


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the pages."""
    here = _Batches(desk)
    base, one = "/ecertificate-batches", "/ecertificate-batches/<batch_id>"
    return (
        get_page(base, "show_ecertificate_batches", ECERTIFICATE_READ, here.list_batches),
        post_page(
            f"{base}/check",
            "check_ecertificate_batch_form",
            ECERTIFICATE_ISSUE,
            here.check_batch,
            max_body=_MAX_BODY,
        ),
        post_page(
            base,
            "order_ecertificate_batch_form",
            ECERTIFICATE_ISSUE,
            here.order_batch,
            max_body=_MAX_BODY,
            **FRESH,
        ),
        get_page(one, "show_ecertificate_batch_page", ECERTIFICATE_READ, here.show_batch),
        post_page(
            f"{one}/switch",
            "switch_ecertificate_batch_form",
            ECERTIFICATE_ISSUE,
            here.switch_batch,
            **FRESH,
        ),
        get_page(
            f"{one}/files/<part>", "zip_ecertificate_batch_page", ECERTIFICATE_OPEN, here.zip_batch
        ),
    )
