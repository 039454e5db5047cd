"""What can go wrong with items and calculators."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, NotFound


class CalculationRefused(Invalid):
    """The numbers given to a calculator can't be any assessment's."""

    code = "audits.calculation_refused"
    title = Text("无法计算", "This can't be computed")
    remedy = Text(
        "请检查各项的取值、权重和数量后重试。", "Check the values, weights and counts, then retry."
    )


class ItemNotFound(NotFound):
    """The standard has no such item."""

    code = "audits.item_not_found"
    title = Text("没有这个条目", "There is no such item")
    remedy = Text(
        "请用 secops audits list-items 查看条目编号。",
        "List the identifiers with `secops audits list-items`.",
    )
