"""Errors of limits, quotas and locked tenants."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, TooMany, Unavailable


class TenantLocked(Unavailable):
    """The organisation's part of the pool is locked; the others go on."""

    code = "kms.tenant_locked"
    title = Text("本机构的密钥已锁定", "This organisation's keys are locked")
    remedy = Text(
        "请联系安全管理员查明原因后解除锁定。",
        "Ask the security administrator why, and to lift the lock.",
    )


class KeyLimitReached(Forbidden):
    """A limit of the key stands against this use; ``detail`` says which."""

    code = "kms.key_limit_reached"
    title = Text("超出密钥使用限制", "A limit of the key stands against this")
    remedy = Text(
        "请在允许的时间、应用与风险范围内使用,或请安全管理员调整限制。",
        "Use it at the time and from the application allowed, or have the limit changed.",
    )


class QuotaExceeded(Forbidden):
    """The organisation has as many keys or versions as it may."""

    code = "kms.quota_exceeded"
    title = Text("已达机构配额", "The organisation's quota is used up")
    remedy = Text(
        "请销毁不用的密钥或修剪旧版本,或请安全管理员提高配额。",
        "Destroy unused keys or trim old versions, or have the quota raised.",
    )


class DailyQuotaExceeded(TooMany):
    """The organisation has used its keys as often today as it may."""

    code = "kms.daily_quota_exceeded"
    title = Text("已达今日使用配额", "Today's operations are used up")
    remedy = Text(
        "配额于北京时间零点恢复;如需提高请联系安全管理员。",
        "It begins anew at midnight in Beijing; ask the security administrator for more.",
    )


class LimitsChanged(Conflict):
    """Somebody else changed them since they were read."""

    code = "kms.limits_changed"
    status = 412
    title = Text("限制已被他人修改", "The limits were changed meanwhile")
    remedy = Text("请重新读取后再修改(If-Match)。", "Read them again, then change them (If-Match).")
