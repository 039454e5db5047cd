"""What owners are told of over their own channels, in both languages at once.

Nobody knows which language the owner of a phone number reads.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from secops.kernel.catalogue import Text
from secops.kernel.clock import SECOND

RESET_ASKED: Final = "reset_asked"
RESET_HASTENED: Final = "reset_hastened"
CERTIFICATE_ASKED: Final = "certificate_asked"
ADDRESS_CHANGED: Final = "address_changed"
BREAK_GLASS_OPENED: Final = "break_glass_opened"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEIJING: Final = timedelta(hours=8)
TITLE: Final = Text("账户安全通知", "A notice about your account")

TEXTS: Final[dict[str, Text]] = {
    RESET_ASKED: Text(
        "有人申请重置您在 {site} 的登录因素,最早 {when} 生效。若非您本人要求,"
        "请登录后立即取消,或联系审计管理员。",
        "Somebody asked to reset your factors at {site}, from {when} (Beijing) on. "
        "If it was not you, sign in and cancel it now, or call the audit administrator.",
    ),
    RESET_HASTENED: Text(
        "重置您在 {site} 的登录因素的等待期已缩短,{when} 起即可生效。若非您本人要求,请立即取消。",
        "The reset of your factors at {site} was brought forward to {when} (Beijing). "
        "If it was not you, cancel it now.",
    ),
    CERTIFICATE_ASKED: Text(
        "有人于 {when} 申请将数字证书绑定到您在 {site} 的账户,批准后即可凭该证书登录。"
        "若非您本人要求,请立即联系审计管理员。",
        "At {when} (Beijing) somebody asked to bind a certificate to your account at {site}; "
        "once approved, it signs in as you. If it was not you, call the audit administrator now.",
    ),
    ADDRESS_CHANGED: Text(
        "您在 {site} 登记的联系方式已于 {when} 新增、变更或移除。"
        "若非您本人操作,请立即联系系统管理员。",
        "Your address at {site} was added, changed or removed at {when} (Beijing). "
        "If it was not you, call the system administrator now.",
    ),
    BREAK_GLASS_OPENED: Text(
        "{site} 的应急账户已于 {when} 启用。如未安排,请立即处置。",
        "An emergency account of {site} was opened at {when} (Beijing). "
        "If nobody ordered it, act now.",
    ),
}


def notice_text(kind: str, site: str, about: int) -> str:
    """Return the notice's words; ``about`` is in UTC microseconds."""
    moment = _EPOCH + timedelta(seconds=about // SECOND) + _BEIJING
    given = {"site": site, "when": moment.strftime("%Y-%m-%d %H:%M")}
    text = TEXTS[kind]
    return f"{text.zh.format(**given)}\n{text.en.format(**given)}"
