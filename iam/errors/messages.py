"""Refusals of codes and addresses outside."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Forbidden, Invalid, TooMany, Unavailable


class AddressInvalid(Invalid):
    """That is no number or mail address codes are sent to."""

    code = "iam.message_address_invalid"
    title = Text("手机号或邮箱不正确", "Not a number or mail address codes are sent to")
    remedy = Text(
        "请输入本国手机号(如 13800138000)或完整的邮箱地址。",
        "Give a mobile number of an admitted country (+8613800138000) or a whole mail address.",
    )


class ChannelOff(Conflict):
    """Nobody carries messages over this channel here."""

    code = "iam.message_channel_off"
    title = Text("未开通此发送方式", "Nothing is sent over this channel here")
    remedy = Text(
        "请使用其他登录因素;管理员可在设置中配置短信网关或邮件服务器。",
        "Use another factor; the operator can set a message gateway or mail server.",
    )


class MessageNotSent(Unavailable):
    """The gateway or mail server did not take the message."""

    code = "iam.message_not_sent"
    title = Text("验证码未能发出", "The code could not be sent")
    remedy = Text(
        "请使用动态码、通行密钥或证书登录,或稍后重试;如持续出现,请告知系统管理员。",
        "Use an authenticator app, a passkey or a certificate, or try again later; "
        "tell the system administrator if it goes on.",
    )


class MessageCodeNotAdmitted(Forbidden):
    """A code by message is not enough for this account or this sign-in."""

    code = "iam.message_code_not_admitted"
    title = Text(
        "此账户不能使用短信或邮件验证码登录", "Codes by message don't sign this account in"
    )
    remedy = Text(
        "请使用动态码、通行密钥或证书。",
        "Use an authenticator app, a passkey or a certificate.",
    )


class TooManyMessages(TooMany):
    """So many codes were sent that no more go out for a while."""

    code = "iam.too_many_messages"
    title = Text("验证码发送过于频繁", "Too many codes were asked for")
    remedy = Text(
        "请稍后再试,或使用其他登录因素。", "Wait before asking again, or use another factor."
    )
