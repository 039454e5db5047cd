"""Playbook runs: the plan that is approved, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from playbooks.models import FINAL_STATES
from playbooks.models.runs import Run
from playbooks.models.views import RunView
from playbooks.service import StepAnswer, StepDecision
from playbooks.service.runs.binding import wanted_of
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, whole_number
from secops.console.playbooks import run_graph
from secops.console.playbooks.bindings import switch_of
from secops.console.playbooks.run_lines import STEP_STATES, choices_of, lines_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.playbooks import RUN_APPROVE, RUN_CANCEL, RUN_READ, RUN_RESOLVE
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
_HOUR_S: Final = 3_600
_VALUE: Final = "value:"
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
            request,
            "playbooks/runs.html",
            Table(N_("剧本运行"), _COLUMNS, rows, page.next),
            switch=switch_of(self.desk, request),
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
        """Show one run: what waits for a person, its drawing and plan, the journal."""
        view = self.desk.parts.playbooks.runs.show_run(request.caller, request.args["run_id"])
        caller, run = request.caller, view.run
        another = caller.id != run.requester_id
        late = [wanted_of(step) for step in run.plan.steps if step.is_bound_late]
        return self.desk.page(
            request,
            "playbooks/run.html",
            view=view,
            run=run,
            title=self._title(view),
            state=RUN_STATES.get(run.state, run.state),
            drawing=run_graph.draw(run.plan, view.states),
            words=STEP_STATES,
            lines=lines_of(view),
            choices=choices_of(run.plan),
            replayable=run.state in FINAL_STATES,
            may_approve=another and caller.may(RUN_APPROVE),
            may_decide=another and any(map(caller.may, late)),
            may_resolve=caller.may(RUN_RESOLVE),
            switch=switch_of(self.desk, request),
            automatic=self.desk.parts.playbooks.autonomy.automatic.show_automatic_run(
                caller, run.id
            ),
            takes_back=bool(view.journal) and any(step.compensate for step in run.plan.steps),
            may_cancel=run.state not in FINAL_STATES and caller.may(RUN_CANCEL),
        )

    def _title(self, view: RunView) -> str:
        run = view.run
        return self.desk.parts.playbooks.playbooks.content(run.org_id, run.plan.content_hash).name

    def replay_run(self, request: Request) -> Response:
        """Show whether a finished run's record leads to the same decisions again."""
        replay = self.desk.parts.playbooks.steps.replay_run(request.caller, request.args["run_id"])
        state = RUN_STATES.get(replay.run.state, replay.run.state)
        return self.desk.page(request, "playbooks/replay.html", replay=replay, state=state)

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

    def resolve_step(self, request: Request) -> Response:
        """Answer for a step done by hand, or for one whose outcome nobody knows."""
        run_id, form = request.args["run_id"], request.form
        outcome = form.get("outcome", "")
        if outcome not in ("done", "failed"):
            raise Invalid("answer: done or failed")
        given = {
            name.removeprefix(_VALUE): value
            for name, value in form.items()
            if name.startswith(_VALUE) and outcome == "done"
        }
        answer = StepAnswer(
            form.get("step", ""),
            "done" if outcome == "done" else "failed",
            form.get("note", ""),
            given,
        )
        self.desk.parts.playbooks.runs.resolve_step(request.caller, run_id, answer)
        return redirect(f"/runs/{run_id}")

    def approve_step(self, request: Request) -> Response:
        """Approve or reject exactly what a late step was shown to do."""
        run_id, form = request.args["run_id"], request.form
        decision = StepDecision(
            path=form.get("step", ""),
            sha256=form.get("sha256", ""),
            grant=granted(form),
            loop=form.get("loop", ""),
            reason=form.get("reason", ""),
        )
        self.desk.parts.playbooks.steps.approve_step(request.caller, run_id, decision)
        return redirect(f"/runs/{run_id}")

    def prolong_containment(self, request: Request) -> Response:
        """Let what a step took away stay so for some hours from now."""
        run_id, form = request.args["run_id"], request.form
        hours = whole_number(form.get("hours", ""), 4)
        if not hours:
            raise Invalid("hours: 1 to 8760")
        self.desk.parts.playbooks.steps.prolong_containment(
            request.caller, run_id, form.get("step", ""), seconds=hours * _HOUR_S
        )
        return redirect(f"/runs/{run_id}")


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the run pages."""
    here = _Runs(desk)
    run = "/runs/<run_id>"
    return (
        get_page("/runs", "show_runs", RUN_READ, here.list_runs),
        get_page(run, "show_run_page", RUN_READ, here.show_run),
        get_page(f"{run}/replay", "show_replay_page", RUN_READ, here.replay_run),
        post_page(f"{run}/approve", "approve_run_form", RUN_APPROVE, here.approve_run, **FRESH),
        post_page(f"{run}/cancel", "cancel_run_form", RUN_CANCEL, here.cancel_run),
        post_page(f"{run}/answers", "resolve_step_form", RUN_RESOLVE, here.resolve_step),
        post_page(
            f"{run}/step-decisions", "approve_step_form", RUN_READ, here.approve_step, **FRESH
        ),
        post_page(
            f"{run}/prolongations",
            "prolong_containment_form",
            RUN_RESOLVE,
            here.prolong_containment,
        ),
    )
