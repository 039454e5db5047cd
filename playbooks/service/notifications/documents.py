"""Channels, messages and subscriptions as documents: what API and command line show."""

from __future__ import annotations

from typing import Any

from playbooks.models.notifications import Outgoing, StoredChannel, Subscription
from secops.kernel.clock import rfc3339_or_none, to_rfc3339


def channel_document(channel: StoredChannel) -> dict[str, Any]:
    """Return what may be shown of a channel: never its address, secret or recipients."""
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "hint": channel.hint,
        "language": channel.language,
        "enabled": channel.enabled,
        "changed_by": channel.changed_by,
        "changed_at": to_rfc3339(channel.changed_at),
        "version": channel.version,
    }


def message_document(message: Outgoing) -> dict[str, Any]:
    """Return a message and how far it came."""
    return {
        "id": message.id,
        "channel_id": message.channel_id,
        "event": message.event,
        "subject": message.subject,
        "title": message.title,
        "drill": message.drill,
        "state": message.state,
        "tries": message.tries,
        "next_at": to_rfc3339(message.next_at) if message.state == "queued" else None,
        "created_at": to_rfc3339(message.created_at),
        "settled_at": rfc3339_or_none(message.settled_at),
        "trouble": message.trouble,
        "digest_id": message.digest_id,
    }


def subscription_document(subscription: Subscription) -> dict[str, Any]:
    """Return a subscription; quiet hours as HH:MM-HH:MM, or ""."""
    begins, ends = subscription.quiet_from, subscription.quiet_until
    quiet = "" if begins == ends else f"{clock_text(begins)}-{clock_text(ends)}"
    return {
        "id": subscription.id,
        "event": subscription.event,
        "min_severity": subscription.min_severity,
        "target": subscription.target,
        "quiet": quiet,
    }


def clock_text(minutes: int) -> str:
    """Return minutes of the day as HH:MM."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def quiet_hours(text: str) -> tuple[int, int]:
    """Return what ``HH:MM-HH:MM`` says in minutes of the day, (0, 0) for ""; out of range stays."""
    if not text:
        return 0, 0
    begins, _, ends = text.partition("-")
    return _minutes(begins), _minutes(ends)


def _minutes(text: str) -> int:
    hours, _, minutes = text.strip().partition(":")
    plain = hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()
    if not plain or max(len(hours), len(minutes)) > 2 or int(minutes) > 59:  # noqa: PLR2004 - a clock
        return -1
    return int(hours) * 60 + int(minutes)
