"""The response plane's settings and its way out to the network."""

from __future__ import annotations

from typing import cast, get_args

from playbooks.models.options import Channel, ChannelKind, PlaybooksOptions
from secops.adapters.outbound import OutboundClient, OutboundOptions
from secops.settings import Settings, SettingsRejected


def outbound(settings: Settings) -> OutboundClient:
    """Return the guarded HTTP client; ``webhook_allow`` names inner hosts it may reach."""
    allowed = tuple(part.strip() for part in settings.webhook_allow.split(",") if part.strip())
    return OutboundClient(OutboundOptions(allowed=allowed))


def upstream(settings: Settings) -> OutboundClient:
    """Return the guarded client for identity providers; ``upstream_allow`` names inner ones."""
    allowed = tuple(part.strip() for part in settings.upstream_allow.split(",") if part.strip())
    authority = str(settings.home / settings.upstream_ca) if settings.upstream_ca else ""
    return OutboundClient(OutboundOptions(allowed=allowed, ca_file=authority))


def options(settings: Settings) -> PlaybooksOptions:
    """Return the plane's options: the webhook where one is set, the inbox otherwise."""
    if not settings.webhook_url:
        return PlaybooksOptions()
    if settings.webhook_kind not in get_args(ChannelKind):
        raise SettingsRejected(f"webhook_kind {settings.webhook_kind!r} is unknown")
    kind = cast("ChannelKind", settings.webhook_kind)
    channel = Channel(kind, settings.webhook_url, settings.webhook_secret)
    return PlaybooksOptions(channels={"webhook": channel}, default_channel="webhook")
