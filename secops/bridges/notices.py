"""The response plane's settings and its way out to the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from playbooks.models.options import (
    Channel,
    ChannelKind,
    OperatorKind,
    PlaybooksOptions,
    UnsignedPlaybooks,
)
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.settings import Settings, SettingsRejected, listed

WEBHOOKS: Final = ("inbox", "generic", "dingtalk", "feishu", "wecom")
_MAX_PROVINCE_ANSWER: Final = 8 << 20
"""Bytes: a value with a picture of 4 MiB, in Base64."""


def outbound(settings: Settings) -> OutboundClient:
    """Return the guarded HTTP client; ``webhook_allow`` names inner hosts it may reach."""
    return OutboundClient(OutboundOptions(allowed=listed(settings.webhook_allow)))


def upstream(settings: Settings) -> OutboundClient:
    """Return the guarded client for identity providers; ``upstream_allow`` names inner ones."""
    authority = _in_home(settings, settings.upstream_ca)
    return OutboundClient(
        OutboundOptions(allowed=listed(settings.upstream_allow), ca_file=authority)
    )


def province(settings: Settings) -> OutboundClient:
    """Return the guarded client for the province's e-seal system, and for nothing else."""
    return OutboundClient(
        OutboundOptions(
            allowed=listed(settings.province_seal_allow),
            ca_file=_in_home(settings, settings.province_seal_ca),
            only_ca=bool(settings.province_seal_ca),
            client_certificate=_in_home(settings, settings.province_seal_certificate),
            max_answer=_MAX_PROVINCE_ANSWER,
        )
    )


def stamping(settings: Settings) -> OutboundClient:
    """Return the guarded client for outside time-stamps; ``time_stamp_allow`` names inner hosts."""
    return OutboundClient(OutboundOptions(allowed=listed(settings.time_stamp_allow)))


def _in_home(settings: Settings, path: str) -> str:
    return str(settings.home / path) if path else ""


def options(settings: Settings) -> PlaybooksOptions:
    """Return the plane's options: the webhook where one is set, the inbox otherwise."""
    there = PlaybooksOptions(
        site=settings.origin,
        timezone=settings.timezone,
        unit_name=settings.unit_name,
        operator_kind=cast("OperatorKind", settings.operator_kind),
        unsigned_playbooks=cast("UnsignedPlaybooks", settings.unsigned_playbooks),
    )
    if not settings.webhook_url:
        return there
    if settings.webhook_kind not in WEBHOOKS:
        raise SettingsRejected(f"webhook_kind {settings.webhook_kind!r} is unknown")
    kind = cast("ChannelKind", settings.webhook_kind)
    channel = Channel(kind, settings.webhook_url, settings.webhook_secret)
    return replace(there, channels={"webhook": channel}, default_channel="webhook")
