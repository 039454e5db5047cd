"""What people are told: channels, the way out, dead letters, subscriptions."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.service.notifications.channels import ChannelService
from playbooks.service.notifications.delivery import DeliveryService
from playbooks.service.notifications.heralds import Herald
from playbooks.service.notifications.messages import MessageService
from playbooks.service.notifications.subscriptions import NewSubscription, SubscriptionService
from playbooks.service.surroundings import Surroundings

__all__ = ["NewSubscription", "NotificationServices", "build_notifications"]


@dataclass(frozen=True, slots=True)
class NotificationServices:
    """The use cases of notifications."""

    channels: ChannelService
    messages: MessageService
    subscriptions: SubscriptionService
    delivery: DeliveryService
    herald: Herald


def build_notifications(surroundings: Surroundings) -> NotificationServices:
    """Return them."""
    return NotificationServices(
        channels=ChannelService(surroundings),
        messages=MessageService(surroundings),
        subscriptions=SubscriptionService(surroundings),
        delivery=DeliveryService(surroundings),
        herald=Herald(surroundings),
    )
