"""Bulk actions: the preview with its count, the progress, what was left, undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from detectors.models.bulk_actions import RUNNING, BulkAction
from detectors.service.triage.bulk_actions import token_of, undo_until
from detectors.service.triage.filters import read_filter, words_of
from secops.console.detectors.alerts import SEVERITIES
from secops.console.detectors.queue import queue_href
from secops.console.parts import Desk, get_page, post_page
from secops.console.tables import Cell, Column, Table
from secops.console.texts import N_
from secops.kernel.errors import Invalid
from secops.kernel.permissions.detectors import ALERT_CLOSE, ALERT_READ
from secops.web.messages import Request, Response, redirect
from secops.web.paging import wanted_page
from secops.web.routes import Route

_STATES: Final = {
    "preview": N_("待确认"),
    "acting": N_("正在执行"),
    "telling": N_("正在更新风险"),
    "done": N_("已完成"),
    "cancelled": N_("已取消"),
    "failed": N_("已中止"),
}
_VERBS: Final = {
    "close": N_("批量关闭"),
    "acknowledge": N_("批量受理"),
    "assign": N_("批量指派"),
    "undo": N_("撤销批量操作"),
}
_COLUMNS: Final = (
    Column("created", N_("时间")),
    Column("verb", N_("操作")),
    Column("state", N_("状态")),
    Column("written", N_("已写入")),
    Column("count", N_("所选告警数")),
    Column("by", N_("操作人")),
    Column("reason", N_("理由")),
)
_LEFT: Final = (
    Column("place", N_("序号")),
    Column("alert", N_("告警")),
    Column("version", N_("现版本")),
)


def _href(action_id: str) -> str:
    return f"/bulk-actions/{action_id}"


@dataclass(frozen=True, slots=True)
class _BulkActions:
    desk: Desk

    def preview_bulk_action(self, request: Request) -> Response:
        """Count what the queue's view means now and show it for confirmation."""
        form, caller = request.form, request.caller
        services = self.desk.parts.detectors.bulk_actions
        wanted = read_filter({**form, "status": "open"})
        verb = form.get("verb")
        if verb == "close":
            action = services.preview_bulk_close(caller, wanted, form.get("reason", ""))
        elif verb == "acknowledge":
            action = services.preview_bulk_acknowledge(caller, wanted)
        elif verb == "assign":
            action = services.preview_bulk_assign(caller, wanted, form.get("to", ""))
        else:
            raise Invalid("verb is close, acknowledge or assign")
        return redirect(_href(action.id))

    def preview_bulk_undo(self, request: Request) -> Response:
        """Count what of a bulk action nobody changed since."""
        undo = self.desk.parts.detectors.bulk_actions.preview_bulk_undo(
            request.caller, request.args["action_id"]
        )
        return redirect(_href(undo.id))

    def show_bulk_action(self, request: Request) -> Response:
        """Show the preview, the progress or the outcome; below it what an undo left."""
        services, action_id = self.desk.parts.detectors.bulk_actions, request.args["action_id"]
        action = services.show_bulk_action(request.caller, action_id)
        left = services.list_bulk_items(request.caller, action_id, "changed", wanted_page(request))
        rows = [
            (
                Cell(str(item.place), sort=item.place),
                Cell(item.alert_id, href=f"/alerts/{item.alert_id}"),
                Cell(str(item.version), sort=item.version),
            )
            for item in left.items
        ]
        caller, until = request.caller, undo_until(action)
        may = caller.may(ALERT_CLOSE)
        here = self.desk.parts.clock.now()
        return self.desk.list_page(
            request,
            "detectors/bulk_action.html",
            Table(N_("其后已变更、未撤销的告警"), _LEFT, rows, left.next, N_("没有这样的告警")),
            action=action,
            verb=_VERBS[action.verb],
            state=_STATES[action.state],
            severities=SEVERITIES,
            view=queue_href(words_of(action.wanted)),
            running=action.state in RUNNING,
            token=token_of(action) if action.state == "preview" else "",
            may_order=may and action.state == "preview" and action.ordered_by == caller.id,
            may_cancel=may and action.state == "acting",
            undo_until=until if may and until is not None and here <= until else None,
            may_undo_late=may and until is not None and until < here,
            assignee=self._name(request, action.assignee),
        )

    def _name(self, request: Request, assignee: str | None) -> str:
        """Return who gets the alerts, empty where that is not what it does."""
        if assignee is None:
            return ""
        if not assignee:
            return self.desk.renderer.word(request, N_("无人负责"))
        return self.desk.account_names(request, [assignee]).get(assignee, assignee)

    def list_bulk_actions(self, request: Request) -> Response:
        """Show what was ordered, the newest first."""
        page = self.desk.parts.detectors.bulk_actions.list_bulk_actions(
            request.caller, wanted_page(request)
        )
        rows = [self._row(request, action) for action in page.items]
        table = Table(N_("批量操作"), _COLUMNS, rows, page.next, N_("没有批量操作"))
        return self.desk.list_page(request, "detectors/bulk_actions.html", table)

    def _row(self, request: Request, action: BulkAction) -> tuple[Cell, ...]:
        word = self.desk.renderer.word
        return (
            Cell("", instant=action.created_at, href=_href(action.id)),
            Cell(word(request, _VERBS[action.verb])),
            Cell(word(request, _STATES[action.state])),
            Cell(str(action.written), sort=action.written),
            Cell(str(action.count), sort=action.count),
            Cell(action.ordered_by),
            Cell(action.reason),
        )

    def order_bulk_action(self, request: Request) -> Response:
        """Carry out what was previewed."""
        action_id = request.args["action_id"]
        self.desk.parts.detectors.bulk_actions.order_bulk_action(
            request.caller, action_id, request.form.get("token", "")
        )
        return redirect(_href(action_id))

    def cancel_bulk_action(self, request: Request) -> Response:
        """Write no further alert."""
        action_id = request.args["action_id"]
        self.desk.parts.detectors.bulk_actions.cancel_bulk_action(request.caller, action_id)
        return redirect(_href(action_id))

    def undo_bulk_action(self, request: Request) -> Response:
        """Give its alerts back what they said."""
        undo = self.desk.parts.detectors.bulk_actions.undo_bulk_action(
            request.caller, request.args["action_id"]
        )
        return redirect(_href(undo.id))


def routes(desk: Desk) -> tuple[Route, ...]:
    """Return the routes of the bulk actions' pages."""
    here = _BulkActions(desk)
    one = "/bulk-actions/<action_id>"
    return (
        get_page("/bulk-actions", "show_bulk_actions", ALERT_READ, here.list_bulk_actions),
        get_page(one, "show_bulk_action_page", ALERT_READ, here.show_bulk_action),
        post_page(
            "/alerts/bulk", "preview_bulk_action_form", ALERT_CLOSE, here.preview_bulk_action
        ),
        post_page(
            f"{one}/undo-preview", "preview_bulk_undo_form", ALERT_CLOSE, here.preview_bulk_undo
        ),
        post_page(f"{one}/order", "order_bulk_action_form", ALERT_CLOSE, here.order_bulk_action),
        post_page(f"{one}/cancel", "cancel_bulk_action_form", ALERT_CLOSE, here.cancel_bulk_action),
        post_page(f"{one}/undo", "undo_bulk_action_form", ALERT_CLOSE, here.undo_bulk_action),
    )
