"""Which subscription wants which event, and when quiet hours end."""

from __future__ import annotations

from typing import Final

from playbooks.models.incidents import SEVERITIES
from playbooks.models.notifications import HouseEvent, Subscription
from secops.kernel.clock import DAY, MINUTE

MINUTES: Final = DAY // MINUTE


def wants(subscription: Subscription, event: HouseEvent) -> bool:
    """Tell whether ``event`` is of the kind and at least of the severity that is wanted."""
    return (
        subscription.org_id == event.org_id
        and subscription.event == event.kind
        and SEVERITIES.index(event.severity) >= SEVERITIES.index(subscription.min_severity)
    )


def send_at(subscription: Subscription, severity: str, now: int, offset: int) -> int:
    """Return when a message leaves: now, or when the quiet hours end.

    ``offset`` is what local time is ahead of UTC (microseconds). What is critical leaves now.
    """
    begins, ends = subscription.quiet_from, subscription.quiet_until
    if begins == ends or severity == "critical":
        return now
    minute = (now + offset) % DAY // MINUTE
    asleep = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if not asleep:
        return now
    midnight = now - (now + offset) % DAY
    wakes = midnight + ends * MINUTE
    return wakes if wakes > now else wakes + DAY
