"""Why the queue refuses."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class AlertMoved(Conflict):
    """Somebody else was faster: the alert is not as it was shown."""

    code = "detectors.alert_moved"
    title = Text("告警已被他人处理", "Somebody else handled the alert")
    remedy = Text("请重新载入后查看由谁负责、是否已关闭。", "Reload to see who has it now.")


class NotAssignable(Invalid):
    """The alert can't be given to this account."""

    code = "detectors.not_assignable"
    title = Text("不能指派给该账户", "It can't be assigned to this account")
    remedy = Text(
        "请选择本机构中处于启用状态、有权处理告警的账户。",
        "Choose an active account of this organisation that may handle alerts.",
    )


class AlertViewNotFound(NotFound):
    """The account has no view of this id."""

    code = "detectors.alert_view_not_found"
    title = Text("未找到视图", "View not found")
    remedy = Text("请用 list-alert-views 查看编号。", "See the ids with list-alert-views.")


class TooManyViews(Conflict):
    """The account has as many views as one may have."""

    code = "detectors.too_many_views"
    title = Text("保存的视图过多", "Too many saved views")
    remedy = Text("请先删除不用的视图。", "Forget a view that is not used any more.")
