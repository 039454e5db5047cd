"""What messages need from outside, and where they and their channels are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from playbooks.models.notifications import (
    EventKind,
    Happening,
    HouseEvent,
    Outgoing,
    OutgoingState,
    StoredChannel,
    Subscription,
)
from secops.kernel.errors import Unavailable
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail to several addresses; ``key`` is the same at every repeat."""

    to: tuple[str, ...] = field(repr=False)
    title: str
    text: str = field(repr=False)
    key: str


class Mailer(Protocol):
    """The operator's mail server."""

    def send(self, mail: OutgoingMail) -> None:
        """Hand it over within seconds.

        Raises ``Unavailable`` (fact ``permanent`` where it will refuse again) when nothing was
        taken, another ``SecopsError`` when that isn't known. Errors name no address.
        """
        ...


class NoMailer:
    """Where the settings name no mail server."""

    def send(self, mail: OutgoingMail) -> None:
        """Refuse."""
        del mail
        msg = "no mail server is set"
        raise Unavailable(msg)


class SecretBox(Protocol):
    """Seals small secrets under the key pool."""

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return ``plaintext`` encrypted and bound to ``aad``."""
        ...

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``; raise a ``SecopsError`` otherwise."""
        ...


class NoSecretBox:
    """Where there are no keys, no secret is kept."""

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Refuse."""
        del plaintext, aad
        msg = "nothing seals secrets here"
        raise Unavailable(msg)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Refuse."""
        return self.seal(sealed, aad)


class ChannelStore(Protocol):
    """Channels of organisations, and when their last messages left."""

    def add(self, tx: Transaction, channel: StoredChannel) -> None:
        """Store a new one; raise ``ChannelNameTaken``."""
        ...

    def change(self, tx: Transaction, channel: StoredChannel, version: int) -> None:
        """Store it in place of ``version``; raise ``ChangedMeanwhile`` if that is gone."""
        ...

    def get(self, tx: Transaction, org_id: str, channel_id: str) -> StoredChannel:
        """Return it; raise ``ChannelUnknown``."""
        ...

    def by_name(self, tx: Transaction, org_id: str, name: str) -> StoredChannel | None:
        """Return the organisation's channel of that name."""
        ...

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[StoredChannel]:
        """Return the organisation's channels by name."""
        ...

    def sent(self, tx: Transaction, channel_id: str) -> Sequence[int]:
        """Return when its last messages left."""
        ...

    def note_sent(self, tx: Transaction, org_id: str, channel_id: str, sent: Sequence[int]) -> None:
        """Keep when its last messages left."""
        ...


class OutgoingStore(Protocol):
    """Messages on their way; a message changes its state by conditional statements only."""

    def add(self, tx: Transaction, message: Outgoing) -> bool:
        """Store it; False if its key is there."""
        ...

    def find(self, tx: Transaction, key: str) -> Outgoing | None:
        """Return the message of a key."""
        ...

    def get(self, tx: Transaction, org_id: str, message_id: str) -> Outgoing:
        """Return it; raise ``MessageUnknown``."""
        ...

    def list(
        self, tx: Transaction, org_id: str, states: Sequence[str], page: PageRequest
    ) -> Page[Outgoing]:
        """Return the organisation's messages in these states (any for none), newest first."""
        ...

    def waiting(self, tx: Transaction, org_id: str) -> int:
        """Return how many of an organisation's wait to leave."""
        ...

    def due(self, tx: Transaction, now: int, limit: int) -> Sequence[Outgoing]:
        """Return queued messages that are due, urgent ones and then the longest due first."""
        ...

    def lost(self, tx: Transaction, now: int, limit: int) -> Sequence[Outgoing]:
        """Return messages whose try was begun and never ended."""
        ...

    def move(self, tx: Transaction, message: Outgoing, was: OutgoingState, tries: int) -> bool:
        """Store ``message`` if it is still in that state after so many tries."""
        ...

    def hold(self, tx: Transaction, channel_id: str, until: int) -> None:
        """Let nothing that is queued for a channel, whosever it is, leave before ``until``."""
        ...


class HappeningStore(Protocol):
    """What happened and was not yet told."""

    def add(self, tx: Transaction, happening: Happening) -> None:
        """Keep it until it is told."""
        ...

    def oldest(self, tx: Transaction, limit: int) -> Sequence[Happening]:
        """Return what waits longest."""
        ...

    def take(self, tx: Transaction, happening: Happening) -> bool:
        """Remove it; False if another process told it."""
        ...

    def halted_runs(self, tx: Transaction, org_id: str, since: int) -> Sequence[tuple[str, int]]:
        """Return (id, asked for at) of runs that a person has to look at, at most 200."""
        ...


class SubscriptionStore(Protocol):
    """Who is told of what."""

    def add(self, tx: Transaction, subscription: Subscription) -> None:
        """Store it."""
        ...

    def remove(self, tx: Transaction, org_id: str, subscription_id: str) -> bool:
        """Remove it; False if there is none."""
        ...

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Subscription]:
        """Return the organisation's, by event."""
        ...

    def organisations(self, tx: Transaction, event: EventKind) -> Sequence[str]:
        """Return the organisations in which somebody wants to be told of such events."""
        ...

    def to_event(self, tx: Transaction, event: HouseEvent) -> Sequence[Subscription]:
        """Return those of the event's organisation and kind."""
        ...


@dataclass(frozen=True, slots=True)
class NotificationStores:
    """What is kept of channels, messages and subscriptions."""

    channels: ChannelStore
    outgoing: OutgoingStore
    subscriptions: SubscriptionStore
    happenings: HappeningStore
