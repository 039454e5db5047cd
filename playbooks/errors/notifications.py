"""Refusals of channels, messages on their way, rosters and drills."""

from __future__ import annotations

from secops.kernel.catalogue import Text
from secops.kernel.errors import Conflict, Invalid, NotFound


class ChannelNameTaken(Conflict):
    """The organisation has a channel of that name."""

    code = "playbooks.channel_name_taken"
    title = Text("通知渠道名称已被使用", "A channel has this name already")
    remedy = Text("请换一个名称,或修改已有的渠道。", "Choose another name, or change that channel.")


class ChannelInvalid(Invalid):
    """The channel's kind, address, recipients or name can't be used."""

    code = "playbooks.channel_invalid"
    status = 422
    title = Text("通知渠道的内容无效", "The channel can't be used like this")
    remedy = Text(
        "请检查类型、https 地址、收件人和名称(名称为 1–60 个字母、数字、下划线或连字符)。",
        "Look at its kind, https address, recipients and name (1 to 60 letters, digits, _ and -).",
    )


class ChannelDisabled(Conflict):
    """The channel is switched off."""

    code = "playbooks.channel_disabled"
    title = Text("通知渠道已停用", "The channel is switched off")
    remedy = Text("请先启用该渠道。", "Switch it on first.")


class TooManyKept(Conflict):
    """The organisation has as many of these as it may have."""

    code = "playbooks.too_many_kept"
    title = Text("数量已达上限", "There are as many as there may be")
    remedy = Text("请先移除不再需要的条目。", "Remove what is no longer needed first.")


class MessageUnknown(NotFound):
    """No message of that id is visible to the caller."""

    code = "playbooks.message_unknown"
    title = Text("未找到该外发消息", "Message not found")


class MessageSettled(Conflict):
    """The message is neither dead nor of unknown outcome: nobody has to decide about it."""

    code = "playbooks.message_settled"
    title = Text("该消息无需人工处理", "Nobody has to decide about this message")
    remedy = Text(
        "只有发送失败或结果未知的消息才能重发或丢弃。",
        "Only what failed, or whose outcome is unknown, can be sent again or dropped.",
    )


class SubscriptionInvalid(Invalid):
    """The event, severity, quiet hours or target of a subscription can't be used."""

    code = "playbooks.subscription_invalid"
    status = 422
    title = Text("订阅内容无效", "The subscription can't be used like this")
    remedy = Text(
        "请检查事件、级别、免打扰时段,以及本机构的渠道或值班表。",
        "Look at the event, severity and quiet hours, and name a channel or roster of your own.",
    )


class SubscriptionUnknown(NotFound):
    """No subscription of that id is visible to the caller."""

    code = "playbooks.subscription_unknown"
    title = Text("未找到订阅", "Subscription not found")
