"""Channels to people outside, messages on their way, and who wants to be told what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from playbooks.models.options import ChannelKind
from secops.kernel.catalogue import Language, Text

KINDS: Final[dict[ChannelKind, Text]] = {
    "smtp": Text("邮件", "Mail"),
    "generic": Text("签名 Webhook", "Signed webhook"),
    "wecom": Text("企业微信群机器人", "WeCom group robot"),
    "dingtalk": Text("钉钉群机器人", "DingTalk group robot"),
    "feishu": Text("飞书群机器人", "Feishu group robot"),
}
"""What an organisation's channel may be."""

EventKind = Literal["alert", "incident", "clock", "approval", "run_unknown", "source_silent"]
EVENTS: Final[dict[EventKind, Text]] = {
    "alert": Text("告警", "An alert"),
    "incident": Text("事件开立或定级", "An incident opened or judged"),
    "clock": Text("法定时限", "A statutory clock"),
    "approval": Text("等待审批", "An approval is asked for"),
    "run_unknown": Text("剧本结果未知", "A run's outcome is unknown"),
    "source_silent": Text("日志来源静默", "A log source is silent"),
}

OutgoingState = Literal["queued", "sending", "sent", "digested", "unknown", "dead", "dropped"]
OUTGOING_STATES: Final[tuple[OutgoingState, ...]] = get_args(OutgoingState)
STUCK_STATES: Final = ("unknown", "dead")
"""What a person decides about: send again, or drop."""


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """An organisation's channel. ``sealed`` holds address and secret; ``hint`` may be shown."""

    id: str
    org_id: str
    name: str
    kind: ChannelKind
    sealed: bytes = field(repr=False)
    hint: str
    language: Language
    enabled: bool
    changed_by: str
    changed_at: int
    version: int = 1


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """What an administrator enters. ``url`` (webhooks), ``secret`` and ``to`` (mail) are sealed."""

    name: str
    kind: str
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    to: tuple[str, ...] = field(default=(), repr=False)
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one channel. ``key`` is the same however often it is asked for.

    ``tries`` counts those that began; ``next_at`` is when it is due, or while ``sending`` when
    the try is given up; ``digest_id`` names the digest that carries it.
    """

    id: str
    org_id: str
    channel_id: str
    key: str
    event: str
    subject: str
    title: str
    text: str = field(repr=False)
    link: str
    urgent: bool
    drill: bool
    state: OutgoingState
    tries: int
    next_at: int
    created_at: int
    settled_at: int | None = None
    trouble: str = ""
    digest_id: str | None = None


@dataclass(frozen=True, slots=True)
class HouseEvent:
    """Something people may want to be told: a kind, a level and a link, never a log's text.

    ``name`` is a rule's or an incident's title, ``key`` the same for the same event, ``at`` when
    it happened: a subscription made later does not tell of it.
    """

    org_id: str
    kind: EventKind
    key: str
    subject: str
    severity: str
    name: str
    path: str
    at: int
    drill: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of an incident's timeline that people may want to be told; gone when they were."""

    id: str
    org_id: str
    kind: str
    incident_id: str
    at: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told of which events. ``target`` is ``channel:ID`` or ``roster:ID``.

    Quiet hours are minutes of the local day, from ``quiet_from`` up to ``quiet_until``; the same
    number twice is none. What is critical is never held back.
    """

    id: str
    org_id: str
    event: EventKind
    min_severity: str
    target: str
    quiet_from: int
    quiet_until: int
    changed_by: str
    changed_at: int
