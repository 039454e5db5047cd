"""Errors of time-stamps."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Invalid, Unavailable


class TimeStampUnavailable(Unavailable):
    """No token now: our certificate is out of time or revoked, or an outside authority fails."""

    code = "kms.time_stamp_unavailable"
    title = Text("时间戳服务不可用", "No time-stamp can be made now")
    remedy = Text(
        "时间戳证书过期或被吊销时,请运行 secops kms rotate-time-stamper;"
        "使用外部机构时,检查其地址、信任锚和应答。",
        "Where its certificate is expired or revoked, run `secops kms rotate-time-stamper`; of an "
        "outside authority see the address, the anchor and the answer.",
    )


class TimeStampUnreadable(Invalid):
    """The file is no time-stamp, or one by which an authority refused."""

    code = "kms.time_stamp_unreadable"
    title = Text("无法识别的时间戳", "Not a time-stamp")
    remedy = Text(
        "请提供时间戳应答(.tsr)或令牌(.tst),DER 编码。",
        "Give a time-stamp answer (.tsr) or token (.tst) in DER.",
    )


class NotATimeStampQuery(Invalid):
    """The body is not said to be a time-stamp query."""

    code = "kms.not_a_time_stamp_query"
    status = 415
    title = Text("不是时间戳请求", "Not a time-stamp query")
    remedy = Text(
        "请以 Content-Type: application/timestamp-query 提交 RFC 3161 请求。",
        "POST an RFC 3161 request as application/timestamp-query.",
    )
