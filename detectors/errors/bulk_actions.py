"""Why a bulk action is refused."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, NotFound


class BulkActionNotFound(NotFound):
    """No bulk action has this id."""

    code = "detectors.bulk_action_not_found"
    title = Text("未找到批量操作", "Bulk action not found")
    remedy = Text("请用 list-bulk-actions 查看编号。", "See the ids with list-bulk-actions.")


class SelectionChanged(Conflict):
    """The confirmation is not of this preview, or what it counted is out of date."""

    code = "detectors.selection_changed"
    title = Text("所选告警已变化或确认已失效", "The selection changed, or its confirmation ended")
    remedy = Text("请重新预览数量后再确认。", "Preview the count again, then confirm it.")


class BulkActionConflict(Conflict):
    """The bulk action is in a state in which this can't be done."""

    code = "detectors.bulk_action_conflict"
    title = Text("批量操作的当前状态不允许", "The bulk action's state does not allow it")
    remedy = Text("请刷新后查看其当前状态。", "Reload to see its present state.")


class UndoTooLate(Conflict):
    """The ten minutes in which a bulk action can be undone are over."""

    code = "detectors.undo_too_late"
    title = Text("撤销期限已过", "The time for undoing is over")
    remedy = Text(
        "批量操作结束后 10 分钟内可以撤销;此后新的事件会使告警重新打开。",
        "A bulk action can be undone for 10 minutes; later, new events open an alert again.",
    )
