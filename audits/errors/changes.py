"""What can go wrong where two people change one thing, or keep too many."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict


class ChangedMeanwhile(Conflict):
    """Somebody changed it since it was read."""

    code = "audits.changed_meanwhile"
    title = Text("记录已被他人修改", "Somebody changed it meanwhile")
    remedy = Text("请刷新后重试。", "Reload and try again.")


class TooManyKept(Conflict):
    """The organisation has as many of these as it may have."""

    code = "audits.too_many_kept"
    title = Text("数量已达上限", "There are as many as there may be")
    remedy = Text("请先移除不再需要的条目。", "Remove what is no longer needed first.")
