"""What the playbooks plane can be told in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ChannelKind = Literal["inbox", "generic", "dingtalk", "feishu", "wecom", "smtp"]
OperatorKind = Literal["critical", "state", "local"]
"""Who runs the system, as the reporting rule tells apart: critical infrastructure,
a central or state organ, everybody else (a city's or county's platform)."""

UnsignedPlaybooks = Literal["refused", "with_approval"]
"""with_approval: drafts run once their plan is approved, in homes where playbooks are written."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications go. ``url`` holds the robot's token, so both are secrets."""

    kind: ChannelKind
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PlaybooksOptions:
    """Settings of the plane. ``open_for`` lists severities that open incidents unasked.

    ``site`` is where people find the console, for links in messages (an origin, or "").
    """

    channels: Mapping[str, Channel] = field(default_factory=dict)
    default_channel: str = "inbox"
    operator_kind: OperatorKind = "local"
    unit_name: str = "本单位"
    open_for: frozenset[str] = frozenset()
    approval_hours: int = 24
    site: str = ""
    timezone: str = "Asia/Shanghai"
    unsigned_playbooks: UnsignedPlaybooks = "refused"
