"""What can go wrong with records of evidence."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import NotFound


class RecordNotFound(NotFound):
    """The organisation has no such record."""

    code = "audits.record_not_found"
    title = Text("没有这份举证材料", "There is no such record")
    remedy = Text(
        "请用 secops audits list-records 查看。", "List them with `secops audits list-records`."
    )
