"""Channels, messages on their way, and subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from playbooks.errors import ChannelUnknown
from playbooks.errors.notifications import ChannelNameTaken, MessageUnknown
from playbooks.models.notifications import (
    EventKind,
    Happening,
    HouseEvent,
    Outgoing,
    OutgoingState,
    StoredChannel,
    Subscription,
)
from playbooks.store.rows import change_one, fields_of, from_json, newest_page, to_json
from playbooks.store.tables import (
    channel_rates,
    channels,
    happenings,
    outgoing,
    runs,
    subscriptions,
)
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_MOST: Final = 500
_HALTED: Final = 200


class Channels:
    """Implements ``playbooks.ports.notifications.ChannelStore``."""

    def add(self, tx: Transaction, channel: StoredChannel) -> None:
        """Store a new one; raise ``ChannelNameTaken``."""
        if self.by_name(tx, channel.org_id, channel.name) is not None:
            raise ChannelNameTaken
        try:
            tx.execute(channels.insert().values(**asdict(channel)))
        except IntegrityError as error:
            raise ChannelNameTaken from error

    def change(self, tx: Transaction, channel: StoredChannel, version: int) -> None:
        """Store it in place of ``version``; raise ``ChangedMeanwhile`` if that is gone."""
        mine = (channels.c.id == channel.id, channels.c.org_id == channel.org_id)
        change_one(
            tx,
            channels.update().where(*mine, channels.c.version == version).values(**asdict(channel)),
            "the channel was changed meanwhile",
        )

    def get(self, tx: Transaction, org_id: str, channel_id: str) -> StoredChannel:
        """Return it; raise ``ChannelUnknown``."""
        mine = (channels.c.id == channel_id, channels.c.org_id == org_id)
        row = tx.execute(channels.select().where(*mine)).first()
        if row is None:
            msg = "no such channel in this organisation"
            raise ChannelUnknown(msg)
        return _channel(row)

    def by_name(self, tx: Transaction, org_id: str, name: str) -> StoredChannel | None:
        """Return the organisation's channel of that name."""
        mine = (channels.c.name == name, channels.c.org_id == org_id)
        row = tx.execute(channels.select().where(*mine)).first()
        return None if row is None else _channel(row)

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[StoredChannel]:
        """Return the organisation's channels by name."""
        found = channels.select().where(channels.c.org_id == org_id)
        return [_channel(row) for row in tx.execute(found.order_by(channels.c.name).limit(_MOST))]

    def sent(self, tx: Transaction, channel_id: str) -> Sequence[int]:
        """Return when its last messages left."""
        mine = channel_rates.c.channel_id == channel_id
        kept = tx.execute(sa.select(channel_rates.c.sent).where(mine)).scalar()
        return [] if kept is None else [int(at) for at in from_json(kept)]

    def note_sent(self, tx: Transaction, org_id: str, channel_id: str, sent: Sequence[int]) -> None:
        """Keep when its last messages left."""
        values = {"sent": to_json(list(sent))}
        mine = channel_rates.c.channel_id == channel_id
        if tx.execute(channel_rates.update().where(mine).values(**values)).rowcount == 0:
            tx.execute(
                channel_rates.insert().values(channel_id=channel_id, org_id=org_id, **values)
            )


class OutgoingMessages:
    """Implements ``playbooks.ports.notifications.OutgoingStore``."""

    def add(self, tx: Transaction, message: Outgoing) -> bool:
        """Store it; False if its key is there."""
        if self.find(tx, message.key) is not None:
            return False
        tx.execute(outgoing.insert().values(**asdict(message)))
        return True

    def find(self, tx: Transaction, key: str) -> Outgoing | None:
        """Return the message of a key."""
        row = tx.execute(outgoing.select().where(outgoing.c.key == key)).first()
        return None if row is None else _outgoing(row)

    def get(self, tx: Transaction, org_id: str, message_id: str) -> Outgoing:
        """Return it; raise ``MessageUnknown``."""
        mine = (outgoing.c.id == message_id, outgoing.c.org_id == org_id)
        row = tx.execute(outgoing.select().where(*mine)).first()
        if row is None:
            raise MessageUnknown
        return _outgoing(row)

    def list(
        self, tx: Transaction, org_id: str, states: Sequence[str], page: PageRequest
    ) -> Page[Outgoing]:
        """Return the organisation's messages in these states (any for none), newest first."""
        statement = outgoing.select().where(outgoing.c.org_id == org_id)
        if states:
            statement = statement.where(outgoing.c.state.in_(states))
        columns = (outgoing.c.created_at, outgoing.c.id)
        return newest_page(tx, statement, columns, page, read=_outgoing)

    def waiting(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation's wait to leave."""
        mine = (outgoing.c.org_id == org_id, outgoing.c.state.in_(("queued", "sending")))
        return int(tx.execute(sa.select(sa.func.count()).where(*mine)).scalar_one())

    def due(self, tx: Transaction, now: int, limit: int) -> Sequence[Outgoing]:
        """Return queued messages that are due, urgent ones and then the longest due first."""
        rows = tx.execute(
            outgoing.select()
            .where(outgoing.c.state == "queued", outgoing.c.next_at <= now)
            .order_by(
                outgoing.c.urgent.desc(), outgoing.c.next_at, outgoing.c.created_at, outgoing.c.id
            )
            .limit(limit)
        )
        return [_outgoing(row) for row in rows]

    def lost(self, tx: Transaction, now: int, limit: int) -> Sequence[Outgoing]:
        """Return messages whose try was begun and never ended."""
        rows = tx.execute(
            outgoing.select()
            .where(outgoing.c.state == "sending", outgoing.c.next_at <= now)
            .order_by(outgoing.c.next_at, outgoing.c.id)
            .limit(limit)
        )
        return [_outgoing(row) for row in rows]

    def move(self, tx: Transaction, message: Outgoing, was: OutgoingState, tries: int) -> bool:
        """Store ``message`` if it is still in that state after so many tries."""
        values = asdict(message)
        mine = [outgoing.c.id == values.pop("id"), outgoing.c.org_id == values.pop("org_id")]
        mine += [outgoing.c.state == was, outgoing.c.tries == tries]
        return int(tx.execute(outgoing.update().where(*mine).values(**values)).rowcount) == 1

    def hold(self, tx: Transaction, channel_id: str, until: int) -> None:
        """Let nothing that is queued for a channel, whosever it is, leave before ``until``."""
        queued = (outgoing.c.channel_id == channel_id, outgoing.c.state == "queued")
        tx.execute(
            outgoing.update().where(*queued, outgoing.c.next_at < until).values(next_at=until)
        )


class Happenings:
    """Implements ``playbooks.ports.notifications.HappeningStore``."""

    def halted_runs(self, tx: Transaction, org_id: str, since: int) -> Sequence[tuple[str, int]]:
        """Return (id, asked for at) of runs that a person has to look at, at most 200."""
        halted = sa.or_(
            runs.c.state == "unknown", sa.and_(runs.c.state == "waiting", runs.c.error == "ask")
        )
        rows = tx.execute(
            sa.select(runs.c.id, runs.c.created_at)
            .where(runs.c.org_id == org_id, runs.c.created_at >= since, halted)
            .order_by(runs.c.created_at.desc())
            .limit(_HALTED)
        )
        return [(row.id, row.created_at) for row in rows]

    def add(self, tx: Transaction, happening: Happening) -> None:
        """Keep it until it is told."""
        tx.execute(happenings.insert().values(**asdict(happening)))

    def oldest(self, tx: Transaction, limit: int) -> Sequence[Happening]:
        """Return what waits longest."""
        rows = tx.execute(happenings.select().order_by(happenings.c.at).limit(limit))
        return [Happening(**fields_of(row)) for row in rows]

    def take(self, tx: Transaction, happening: Happening) -> bool:
        """Remove it; False if another process told it."""
        gone = tx.execute(happenings.delete().where(happenings.c.id == happening.id))
        return int(gone.rowcount) == 1


class Subscriptions:
    """Implements ``playbooks.ports.notifications.SubscriptionStore``."""

    def add(self, tx: Transaction, subscription: Subscription) -> None:
        """Store it."""
        tx.execute(subscriptions.insert().values(**asdict(subscription)))

    def remove(self, tx: Transaction, org_id: str, subscription_id: str) -> bool:
        """Remove it; False if there is none."""
        mine = (subscriptions.c.id == subscription_id, subscriptions.c.org_id == org_id)
        return int(tx.execute(subscriptions.delete().where(*mine)).rowcount) == 1

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Subscription]:
        """Return the organisation's, by event."""
        found = subscriptions.select().where(subscriptions.c.org_id == org_id)
        rows = tx.execute(found.order_by(subscriptions.c.event, subscriptions.c.id).limit(_MOST))
        return [Subscription(**fields_of(row)) for row in rows]

    def organisations(self, tx: Transaction, event: EventKind) -> Sequence[str]:
        """Return the organisations in which somebody wants to be told of such events."""
        mine = subscriptions.c.event == event
        return list(tx.execute(sa.select(subscriptions.c.org_id).where(mine).distinct()).scalars())

    def to_event(self, tx: Transaction, event: HouseEvent) -> Sequence[Subscription]:
        """Return those of the event's organisation and kind."""
        mine = (subscriptions.c.org_id == event.org_id, subscriptions.c.event == event.kind)
        rows = tx.execute(subscriptions.select().where(*mine).order_by(subscriptions.c.id))
        return [Subscription(**fields_of(row)) for row in rows]


def _channel(row: Any) -> StoredChannel:
    fields = fields_of(row)
    return StoredChannel(**{**fields, "sealed": bytes(fields["sealed"])})


def _outgoing(row: Any) -> Outgoing:
    return Outgoing(**fields_of(row))
