"""整改 and 豁免: tasks of findings, their proofs and re-checks; waivers beside verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audits.models.rectification import (
    TASK_SOURCES,
    TASK_STATES,
    WAIVER_STATES,
    HistoryEvent,
    RectificationTask,
    TaskFilter,
    Waiver,
)
from audits.models.systems import THIS_INSTANCE
from audits.service.rectification import RectificationServices
from audits.service.rectification.tasks import Assignment, NewTasks, Proof
from audits.service.rectification.waivers import NewWaiver
from secops.console.audits.deeds import DEEDS
from secops.console.parts import FRESH, Desk, get_page, granted, post_page, version_of
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.console.times import local_instant
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid
from secops.kernel.permissions.audits import (
    APPROVE_WAIVER,
    CLOSE_RECTIFICATION,
    MANAGE_RECTIFICATION,
    PROVE_RECTIFICATION,
    READ_ASSESSMENTS,
    READ_RECTIFICATION,
    RECHECK_RECTIFICATION,
    REQUEST_WAIVER,
)
from secops.web.messages import Request, Response, file_response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_TASKS: Final = (
    Column("subject", N_("条目")),
    Column("title", N_("问题")),
    Column("object", N_("对象")),
    Column("source", N_("来源")),
    Column("owner", N_("负责人")),
    Column("due", N_("完成期限")),
    Column("state", N_("状态")),
    Column("rounds", N_("重开次数")),
)
_WAIVERS: Final = (
    Column("item", N_("条目")),
    Column("object", N_("对象")),
    Column("reason", N_("理由")),
    Column("requester", N_("申请人")),
    Column("approver", N_("审批人")),
    Column("expires", N_("有效至")),
    Column("state", N_("状态")),
)
HISTORY: Final = (
    Column("at", N_("时间")),
    Column("who", N_("行为人")),
    Column("deed", N_("动作")),
    Column("note", N_("说明")),
    Column("outcome", N_("结果")),
)
_BADGES: Final = {
    "open": "warn",
    "proof_given": "info",
    "reopened": "bad",
    "closed": "good",
    "pending": "warn",
    "approved": "info",
    "expired": "bad",
}
_MAX_PROOF: Final = 21 << 20
_SHOWN: Final = 16


def history_table(history: Sequence[HistoryEvent], language: Language) -> Table:
    """Return a history, the newest first."""
    rows = [
        (
            Cell("", instant=event.at),
            Cell(event.actor_name),
            Cell(DEEDS[event.deed].into(language) if event.deed in DEEDS else event.deed),
            Cell(event.note),
            Cell(str(event.details.get(f"reason_{language}", ""))),
        )
        for event in reversed(history)
    ]
    return Table(N_("历史"), HISTORY, rows)


@dataclass(frozen=True, slots=True)
class _Rectification:
    desk: Desk

    @property
    def services(self) -> RectificationServices:
        """The plane's services."""
        return self.desk.parts.audits.rectification

    def list_tasks(self, request: Request) -> Response:
        """Show tasks, the newest first; filters stand in the address."""
        query, caller = request.query, request.caller
        wanted = TaskFilter(
            query.get("system", ""),
            query.get("state", ""),
            query.get("owner", ""),
            query.get("item", ""),
        )
        page = self.services.tasks.list_tasks(caller, wanted, wanted_page(request))
        rows = [self._row(task, request.language) for task in page.items]
        may_manage = caller.may(MANAGE_RECTIFICATION)
        recent = self.services.tasks.recent_assessments(caller) if may_manage else ()
        table = Table(N_("整改任务"), _TASKS, rows, page.next, N_("没有整改任务"))
        return self.desk.list_page(
            request,
            "audits/rectification.html",
            table,
            states=TASK_STATES,
            query=query,
            recent=recent,
            may_manage=may_manage,
        )

    def make_tasks(self, request: Request) -> Response:
        """Make tasks of an assessment's findings, or of scanners'."""
        form, caller = request.form, request.caller
        if form.get("source") == "scan":
            self.services.tasks.make_scan_tasks(
                caller, form.get("system", THIS_INSTANCE), form.get("owner", "")
            )
        else:
            items = tuple(form.get("items", "").split())
            due_at = local_instant(form.get("due", ""))
            new = NewTasks(form.get("owner", ""), items, due_at)
            self.services.tasks.make_tasks(caller, form.get("assessment", "").strip(), new)
        return redirect("/rectification?state=unclosed")

    def show_task(self, request: Request) -> Response:
        """Show a task with what may be done now, and its history."""
        caller = request.caller
        task, history = self.services.tasks.show_task(caller, request.args["task_id"])
        proofs = [
            (str(event.details["sha256"]), str(event.details["file"]))
            for event in history
            if event.deed == "give_proof" and "sha256" in event.details
        ]
        return self.desk.list_page(
            request,
            "audits/task.html",
            history_table(history, request.language),
            task=task,
            proofs=proofs,
            states=TASK_STATES,
            sources=TASK_SOURCES,
            badge=_BADGES.get(task.state, ""),
            overdue=task.overdue(self.desk.parts.clock.now()),
            may_read=caller.may(READ_ASSESSMENTS),
            may_manage=caller.may(MANAGE_RECTIFICATION),
            may_prove=caller.may(PROVE_RECTIFICATION) and caller.id == task.owner_id,
            may_recheck=caller.may(RECHECK_RECTIFICATION),
            may_close=caller.may(CLOSE_RECTIFICATION) and caller.id != task.owner_id,
        )

    def act_on_task(self, request: Request) -> Response:
        """Assign, re-check, close or reopen a task."""
        form, caller = request.form, request.caller
        task_id, act, reason = request.args["task_id"], form.get("act"), form.get("reason", "")
        if act == "assign":
            due_at = local_instant(form.get("due", ""))
            wish = Assignment(version_of(request), reason, form.get("owner", ""), due_at)
            self.services.tasks.assign_task(caller, task_id, wish)
        elif act == "recheck":
            self.services.rechecks.recheck_task(caller, task_id)
        elif act == "close":
            self.services.rechecks.close_task(caller, task_id, version_of(request), reason)
        elif act == "reopen":
            self.services.rechecks.reopen_task(caller, task_id, version_of(request), reason)
        else:
            raise Invalid("a task is assigned, re-checked, closed or reopened")
        return redirect(f"/rectification/{task_id}")

    def give_proof(self, request: Request) -> Response:
        """Keep what the owner says was done, with a file maybe."""
        upload = request.files.get("file")
        name, content = (upload.filename, upload.content) if upload else ("", b"")
        proof = Proof(version_of(request), request.form.get("text", ""), name, content)
        task_id = request.args["task_id"]
        self.services.tasks.give_proof(request.caller, task_id, proof)
        return redirect(f"/rectification/{task_id}")

    def proof_file(self, request: Request) -> Response:
        """Download a proof's file; its name is its digest, since strangers named it."""
        args = request.args
        _, content = self.services.tasks.proof_file(request.caller, args["task_id"], args["sha256"])
        kind = "application/octet-stream"
        return file_response(content, kind, f"{args['sha256'][:_SHOWN]}.bin")

    def _row(self, task: RectificationTask, language: Language) -> Sequence[Cell]:
        late = task.overdue(self.desk.parts.clock.now())
        subject = task.subject if task.source == "item" else task.subject[:_SHOWN]
        return (
            Cell(subject, href=f"/rectification/{task.id}"),
            Cell(task.title_zh if language == "zh" else task.title_en),
            Cell(task.object_name),
            Cell(TASK_SOURCES[task.source].into(language)),
            Cell(task.owner_name),
            Cell("", instant=task.due_at, badge="bad" if late else ""),
            Cell(TASK_STATES[task.state].into(language), badge=_BADGES[task.state]),
            Cell(str(task.rounds), sort=task.rounds),
        )


@dataclass(frozen=True, slots=True)
class _Waivers:
    desk: Desk

    @property
    def services(self) -> RectificationServices:
        """The plane's services."""
        return self.desk.parts.audits.rectification

    def list_waivers(self, request: Request) -> Response:
        """Show waivers, those that are over too."""
        query, caller = request.query, request.caller
        page = self.services.waivers.list_waivers(
            caller, wanted_page(request), query.get("system", "")
        )
        rows = [self._waiver_row(waiver, request.language) for waiver in page.items]
        table = Table(N_("豁免"), _WAIVERS, rows, page.next, N_("没有豁免"))
        return self.desk.list_page(
            request, "audits/waivers.html", table, may_request=caller.may(REQUEST_WAIVER)
        )

    def request_waiver(self, request: Request) -> Response:
        """Ask another person to bear a finding for a while."""
        form = request.form
        new = NewWaiver(
            item_id=form.get("item", "").strip(),
            reason=form.get("reason", ""),
            expires_at=local_instant(form.get("expires", "")) or 0,
            standard=form.get("standard", "gbt22239"),
            system_id=form.get("system", "").strip() or THIS_INSTANCE,
            object_id=form.get("object", "").strip(),
        )
        waiver = self.services.waivers.request_waiver(request.caller, new)
        return redirect(f"/waivers/{waiver.id}")

    def show_waiver(self, request: Request) -> Response:
        """Show a waiver and its history."""
        caller = request.caller
        waiver, history = self.services.waivers.show_waiver(caller, request.args["waiver_id"])
        state = waiver.state_at(self.desk.parts.clock.now())
        others = caller.id != waiver.requested_by
        return self.desk.list_page(
            request,
            "audits/waiver.html",
            history_table(history, request.language),
            waiver=waiver,
            state=WAIVER_STATES[state],
            badge=_BADGES.get(state, ""),
            may_decide=state == "pending" and caller.may(APPROVE_WAIVER) and others,
            may_revoke=state in ("pending", "approved") and caller.may(REQUEST_WAIVER),
        )

    def decide_waiver(self, request: Request) -> Response:
        """Approve or reject exactly what the page showed."""
        form, waiver_id = request.form, request.args["waiver_id"]
        self.services.waivers.decide_waiver(
            request.caller,
            waiver_id,
            form.get("digest", ""),
            grant=granted(form),
            reason=form.get("reason", ""),
        )
        return redirect(f"/waivers/{waiver_id}")

    def revoke_waiver(self, request: Request) -> Response:
        """End a waiver before its time."""
        waiver_id = request.args["waiver_id"]
        self.services.waivers.revoke_waiver(
            request.caller, waiver_id, version_of(request), request.form.get("reason", "")
        )
        return redirect(f"/waivers/{waiver_id}")

    def _waiver_row(self, waiver: Waiver, language: Language) -> Sequence[Cell]:
        state = waiver.state_at(self.desk.parts.clock.now())
        return (
            Cell(waiver.item_id, href=f"/waivers/{waiver.id}"),
            Cell(waiver.object_name),
            Cell(waiver.reason),
            Cell(waiver.requested_name),
            Cell(waiver.decided_name),
            Cell("", instant=waiver.expires_at),
            Cell(WAIVER_STATES[state].into(language), badge=_BADGES.get(state, "")),
        )


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of rectification and waivers."""
    here, waivers = _Rectification(desk), _Waivers(desk)
    base, one, waiver = "/rectification", "/rectification/<task_id>", "/waivers/<waiver_id>"
    read, manage = READ_RECTIFICATION, MANAGE_RECTIFICATION
    return (
        get_page(base, "show_tasks", read, here.list_tasks),
        post_page(base, "make_tasks_form", manage, here.make_tasks),
        get_page(one, "show_task_page", read, here.show_task),
        post_page(f"{one}/act", "act_on_task_form", read, here.act_on_task),
        post_page(
            f"{one}/proof",
            "give_proof_form",
            PROVE_RECTIFICATION,
            here.give_proof,
            max_body=_MAX_PROOF,
        ),
        get_page(f"{one}/proof/<sha256>", "proof_file_page", read, here.proof_file),
        get_page("/waivers", "show_waivers", read, waivers.list_waivers),
        post_page("/waivers", "request_waiver_form", REQUEST_WAIVER, waivers.request_waiver),
        get_page(waiver, "show_waiver_page", read, waivers.show_waiver),
        post_page(
            f"{waiver}/decision",
            "decide_waiver_form",
            APPROVE_WAIVER,
            waivers.decide_waiver,
            **FRESH,
        ),
        post_page(
            f"{waiver}/revocation", "revoke_waiver_form", REQUEST_WAIVER, waivers.revoke_waiver
        ),
    )
