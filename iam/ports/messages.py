"""What carries messages to people outside, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from iam.models.messages import (
    CarriedMessage,
    Channel,
    MessageAddress,
    OwnerNotice,
    SentCode,
)
from secops.kernel.transactions import Transaction


class MessageCarrier(Protocol):
    """A message gateway or mail server."""

    @property
    def channel(self) -> Channel:
        """What it carries."""
        ...

    def carry(self, message: CarriedMessage) -> None:
        """Hand ``message`` over within a few seconds; raise ``MessageNotSent`` otherwise.

        The error names neither the address nor anything of the message.
        """
        ...


class MessageAddressStore(Protocol):
    """Confirmed addresses, one for an account and channel, and codes on their way."""

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[MessageAddress]:
        """Return the account's addresses, by channel."""
        ...

    def of_roles(self, tx: Transaction, roles: Collection[str]) -> Sequence[MessageAddress]:
        """Return the addresses of everybody who holds one of ``roles`` now."""
        ...

    def put(self, tx: Transaction, address: MessageAddress) -> None:
        """Store it in place of the account's earlier one of this channel."""
        ...

    def used(self, tx: Transaction, account_id: str, channel: Channel) -> None:
        """Note a use now."""
        ...

    def remove(self, tx: Transaction, account_id: str, channel: Channel) -> bool:
        """Remove it and the codes on their way to it; False if there was none."""
        ...

    def clear(self, tx: Transaction, account_id: str) -> None:
        """Remove all of the account's addresses and codes."""
        ...

    def send(self, tx: Transaction, code: SentCode) -> None:
        """Remember a code; an earlier one of the same attempt counts no more."""
        ...

    def waiting(self, tx: Transaction, attempt: bytes) -> SentCode | None:
        """Return the attempt's code that can still be used."""
        ...

    def consume(self, tx: Transaction, attempt: bytes, digest: bytes) -> SentCode | None:
        """Check and use up the attempt's code by one statement; None if it is another."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` codes that expired before; return how many."""
        ...


class OwnerNoticeStore(Protocol):
    """Notices to owners that wait to be sent."""

    def add(self, tx: Transaction, notice: OwnerNotice) -> None:
        """Store it, unless this subject's notice over this channel is there."""
        ...

    def is_due(self, tx: Transaction) -> bool:
        """Tell whether a notice is due."""
        ...

    def claim(self, tx: Transaction, limit: int, until: int) -> Sequence[OwnerNotice]:
        """Return due notices, not due again before ``until``: another process leaves them."""
        ...

    def keep(self, tx: Transaction, notice: OwnerNotice) -> bool:
        """Store how a try went; False if another process stored the same try before."""
        ...

    def of_subject(self, tx: Transaction, subject_id: str) -> Sequence[OwnerNotice]:
        """Return the notices of one subject, by channel."""
        ...

    def purge(self, tx: Transaction, before: int, limit: int) -> int:
        """Remove at most ``limit`` that are no longer waiting and were made before."""
        ...
