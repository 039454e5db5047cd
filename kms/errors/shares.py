"""Errors of shares and of the ceremony that makes them."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid


class ShareMalformed(Invalid):
    """The text is no share, or was mistyped."""

    code = "kms.share_malformed"
    title = Text("份额书写有误", "The share is not written as it was printed")
    remedy = Text(
        "请按打印的字母与数字重新输入(字母 A–Z、数字 2–7)。",
        "Type it again as printed: letters A to Z and digits 2 to 7.",
    )


class ShareOfAnotherSet(Forbidden):
    """The share was made in another ceremony."""

    code = "kms.share_of_another_set"
    title = Text("份额不属于当前这一套", "The share belongs to another set")
    remedy = Text(
        "请使用最近一次仪式发放的份额;旧份额已作废。",
        "Use the share of the latest ceremony; older ones open nothing any more.",
    )


class ShareRefused(Forbidden):
    """The share is not one that was given out."""

    code = "kms.share_refused"
    title = Text("份额不正确", "The share is wrong")
    remedy = Text(
        "请核对持有人与份额编号;此次拒绝已记入账本。",
        "Check holder and number of the share; this refusal is in the ledger.",
    )


class OpenedOtherwise(Conflict):
    """The root key is opened by another means than the one that was offered."""

    code = "kms.opened_otherwise"
    title = Text("根密钥不以此方式解锁", "The root key is not opened this way")
    remedy = Text(
        "请用 secops kms status 查看解锁方式:口令或份额。",
        "See `secops kms status`: a passphrase, or shares.",
    )
