"""Playbook runs: the plan that is approved, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models.runs import Run
from secops.console.parts import Desk, get_page, granted, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.permissions.playbooks import RUN_APPROVE, RUN_CANCEL, RUN_READ
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

RUN_STATES: Final = {
    "awaiting_approval": N_("待审批"),
    "approved": N_("已批准"),
    "running": N_("执行中"),
    "waiting": N_("等待人员"),
    "compensating": N_("正在撤销处置"),
    "done": N_("完成"),
    "failed": N_("失败"),
    "unknown": N_("结果未知"),
    "compensated": N_("已撤销处置"),
    "cancelled": N_("已取消"),
    "expired": N_("已过期"),
}
_FINAL: Final = ("done", "failed", "compensated", "cancelled", "expired")
_COLUMNS: Final = (
    Column("id", N_("运行编号")),
    Column("state", N_("状态")),
    Column("incident", N_("事件")),
    Column("created", N_("申请时间")),
    Column("finished", N_("结束时间")),
)


@dataclass(frozen=True, slots=True)
class _Runs:
    desk: Desk

    def list_runs(self, request: Request) -> Response:
        """Show all runs, newest first."""
        runs = self.desk.parts.playbooks.runs
        page = runs.list_runs(request.caller, None, wanted_page(request))
        rows = [self._row(request, run) for run in page.items]
        return self.desk.list_page(
            request, "playbooks/runs.html", Table(N_("剧本运行"), _COLUMNS, rows, page.next)
        )

    def _row(self, request: Request, run: Run) -> tuple[Cell, ...]:
        return (
            Cell(run.id, href=f"/runs/{run.id}"),
            Cell(self.desk.renderer.word(request, RUN_STATES.get(run.state, run.state))),
            Cell(run.incident_id, href=f"/incidents/{run.incident_id}"),
            Cell("", instant=run.created_at),
            Cell("—") if run.finished_at is None else Cell("", instant=run.finished_at),
        )

    def show_run(self, request: Request) -> Response:
        """Show one run: its plan, each step's state, the journal."""
        view = self.desk.parts.playbooks.runs.show_run(request.caller, request.args["run_id"])
        caller, run = request.caller, view.run
        waiting = run.state == "awaiting_approval"
        return self.desk.page(
            request,
            "playbooks/run.html",
            view=view,
            run=run,
            state=RUN_STATES.get(run.state, run.state),
            may_approve=waiting and caller.may(RUN_APPROVE) and caller.id != run.requester_id,
            may_cancel=run.state not in _FINAL and caller.may(RUN_CANCEL),
        )

    def approve_run(self, request: Request) -> Response:
        """Approve or reject exactly the plan that was shown."""
        run_id, form = request.args["run_id"], request.form
        self.desk.parts.playbooks.runs.approve_run(
            request.caller,
            run_id,
            grant=granted(form),
            plan_sha256=form.get("plan", ""),
            reason=form.get("reason", ""),
        )
        return redirect(f"/runs/{run_id}")

    def cancel_run(self, request: Request) -> Response:
        """Stop the run before its next step."""
        run_id = request.args["run_id"]
        reason = request.form.get("reason", "")
        self.desk.parts.playbooks.runs.cancel_run(request.caller, run_id, reason=reason)
        return redirect(f"/runs/{run_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the run pages."""
    here = _Runs(desk)
    return (
        get_page("/runs", "show_runs", RUN_READ, here.list_runs),
        get_page("/runs/<run_id>", "show_run_page", RUN_READ, here.show_run),
        post_page("/runs/<run_id>/approve", "approve_run_form", RUN_APPROVE, here.approve_run),
        post_page("/runs/<run_id>/cancel", "cancel_run_form", RUN_CANCEL, here.cancel_run),
    )
