"""Words of people and power, and dates as a form's field gives them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.clock import from_datetime
from secops.kernel.errors import Invalid

ACCOUNT_STATES: Final = {
    "pending": Text("待启用", "pending"),
    "active": Text("有效", "active"),
    "locked": Text("已锁定", "locked"),
    "closed": Text("已注销", "closed"),
}
ACCOUNT_KINDS: Final = {
    "natural": Text("自然人", "natural person"),
    "civil": Text("公务人员", "civil servant"),
    "legal": Text("法人", "legal person"),
    "service": Text("服务账户", "service account"),
}
CHANGE_STATES: Final = {
    "pending": Text("待审批", "pending"),
    "applied": Text("已生效", "applied"),
    "rejected": Text("已驳回", "rejected"),
    "withdrawn": Text("已撤回", "withdrawn"),
    "expired": Text("已过期", "expired"),
}
FIELDS: Final = {
    "roles": Text("角色", "roles"),
    "role": Text("角色", "role"),
    "minutes": Text("时长(分钟)", "minutes"),
}
_BEIJING: Final = timedelta(hours=8)


def local_instant(text: str) -> int | None:
    """Return a date field's midnight in Beijing as UTC microseconds; None for an empty one."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        msg = "a date is written as 2026-03-01"
        raise Invalid(msg) from error
    return from_datetime(day - _BEIJING)
