"""Who wants to be told of which events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from playbooks.core.notifications.wanted import MINUTES
from playbooks.errors import ChannelUnknown
from playbooks.errors.duty import RosterUnknown
from playbooks.errors.notifications import SubscriptionInvalid, SubscriptionUnknown, TooManyKept
from playbooks.models.incidents import SEVERITIES
from playbooks.models.notifications import EVENTS, EventKind, Subscription
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.permissions.playbooks import CHANNEL_READ, SUBSCRIPTION_MANAGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_SUBSCRIPTIONS: Final = 200


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """What to tell whom. Quiet hours are minutes of the day; the same twice is none."""

    event: str
    target: str
    min_severity: str = "high"
    quiet_from: int = 0
    quiet_until: int = 0


@dataclass(frozen=True, slots=True)
class SubscriptionService:
    """Keeps subscriptions; what a security administrator does not order, nobody is told."""

    surroundings: Surroundings

    def list_subscriptions(self, actor: Actor) -> Sequence[Subscription]:
        """Return the organisation's subscriptions, by event."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_READ, "subscription:*")
        return s.parts.transactions.read(
            lambda tx: s.stores.notifications.subscriptions.all_of(tx, actor.org_id)
        )

    def subscribe(self, actor: Actor, new: NewSubscription) -> Subscription:
        """Tell of events from now on."""
        s = self.surroundings
        s.parts.access.require(actor, SUBSCRIPTION_MANAGE, "subscription:*")
        _check(new)
        subscription_id = s.parts.ids.new("sub")
        kept = s.stores.notifications.subscriptions

        def work(tx: Transaction) -> Subscription:
            self._require_own(tx, actor, new.target)
            if len(kept.all_of(tx, actor.org_id)) >= MAX_SUBSCRIPTIONS:
                raise TooManyKept
            subscription = Subscription(
                id=subscription_id,
                org_id=actor.org_id,
                event=cast("EventKind", new.event),
                min_severity=new.min_severity,
                target=new.target,
                quiet_from=new.quiet_from,
                quiet_until=new.quiet_until,
                changed_by=actor.id,
                changed_at=tx.now,
            )
            kept.add(tx, subscription)
            details = {
                "event": new.event,
                "target": new.target,
                "min_severity": new.min_severity,
                "quiet": f"{new.quiet_from}-{new.quiet_until}",
            }
            target = f"subscription:{subscription_id}"
            tx.record(Act("playbooks.subscribe", actor, target, details=details))
            return subscription

        target = f"subscription:{subscription_id}"
        with refusals_recorded(s.parts, "playbooks.subscribe", actor, target):
            return s.parts.transactions.run(work)

    def unsubscribe(self, actor: Actor, subscription_id: str) -> None:
        """Tell no more."""
        s = self.surroundings
        target = f"subscription:{subscription_id}"
        s.parts.access.require(actor, SUBSCRIPTION_MANAGE, target)

        def work(tx: Transaction) -> None:
            known = s.stores.notifications.subscriptions
            if not known.remove(tx, actor.org_id, subscription_id):
                raise SubscriptionUnknown
            tx.record(Act("playbooks.unsubscribe", actor, target))

        s.parts.transactions.run(work)

    def _require_own(self, tx: Transaction, actor: Actor, target: str) -> None:
        """Raise ``SubscriptionInvalid`` unless the target is the organisation's own."""
        s = self.surroundings
        kind, _, identifier = target.partition(":")
        try:
            if kind == "channel":
                s.stores.notifications.channels.get(tx, actor.org_id, identifier)
                return
            if kind == "roster":
                s.stores.duty.rosters.get(tx, actor.org_id, identifier)
                return
        except (ChannelUnknown, RosterUnknown) as error:
            raise SubscriptionInvalid("no such channel or roster here") from error
        raise SubscriptionInvalid("a target is channel:ID or roster:ID")


def _check(new: NewSubscription) -> None:
    if new.event not in EVENTS:
        raise SubscriptionInvalid(f"an event is one of {', '.join(EVENTS)}")
    if new.min_severity not in SEVERITIES:
        raise SubscriptionInvalid(f"a severity is one of {', '.join(SEVERITIES)}")
    if not (0 <= new.quiet_from < MINUTES and 0 <= new.quiet_until < MINUTES):
        raise SubscriptionInvalid("quiet hours are minutes of the day, 0 to 1439")
