"""Sending one-time codes: whether one may go out now, and handing it to its carrier.

A code goes out at once and within a deadline, so that whoever waits for it hears of trouble;
what was sent is remembered before it leaves. If the process dies in between, nothing arrives and
another code is asked for. Nothing is retried: a code that comes late helps only a thief.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from iam.core.lockout import refused
from iam.core.message_addresses import counted_address, masked_address
from iam.core.message_codes import (
    CODE_LIFETIME,
    CONFIRM,
    RANDOM_BYTES,
    SIGN_IN,
    TITLE,
    code_of,
)
from iam.core.names import address_block
from iam.errors import ChannelOff, MessageNotSent, TooManyMessages
from iam.models.messages import (
    CHANNELS,
    CarriedMessage,
    Channel,
    MessageAddress,
    OwnerNotice,
    SentCode,
)
from iam.ports import MessageCarrier
from iam.service.means import Means
from iam.service.sign_on.guessing import count_one
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language
from secops.kernel.clock import MINUTE, SECOND
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

AT_ONCE: Final = 8
"""Threads of a process that wait for gateways at a time: a slow one must not take all."""
places: Final = threading.BoundedSemaphore(AT_ONCE)
_ACTION: Final = "iam.send_code"
_TEXTS: Final = {"sign_in": SIGN_IN, "confirm": CONFIRM}
_Counter = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A code that is about to go: to which address, for whom, asked for from where.

    ``code`` has no digest yet; ``actor`` is who asks, as far as it is known.
    """

    code: SentCode
    to: str
    actor: Actor
    remote: str
    language: Language


def channel_named(text: str) -> Channel:
    """Return the channel of this name; raise ``ChannelOff`` for any other word."""
    for channel in CHANNELS:
        if text == channel:
            return channel
    raise ChannelOff


def carrier_for(means: Means, channel: Channel) -> MessageCarrier:
    """Return who carries messages over ``channel``; raise ``ChannelOff`` if nobody does."""
    for carrier in means.carriers:
        if carrier.channel == channel:
            return carrier
    raise ChannelOff


def code_digest(means: Means, attempt: bytes, account_id: str, code: str) -> bytes:
    """Return what a code is known by: of this attempt and account only."""
    content = b"|".join((attempt.hex().encode(), account_id.encode(), code.encode()))
    return means.keys.mac("message-code", content)


def seal_address(means: Means, account_id: str, channel: Channel, address: str) -> bytes:
    """Return the address sealed for this account."""
    return means.box.seal(address.encode(), f"message|{channel}|{account_id}".encode())


def open_address(means: Means, address: MessageAddress | OwnerNotice) -> str:
    """Return the address in the clear."""
    aad = f"message|{address.channel}|{address.account_id}".encode()
    return means.box.open(address.sealed_address, aad).decode()


def mask_of(means: Means, address: MessageAddress) -> str:
    """Return what is shown of a stored address."""
    return masked_address(address.channel, open_address(means, address))


def send_code(means: Means, dispatch: Dispatch) -> None:
    """Make a code, remember it and send it.

    Raises ``ChannelOff``, ``TooManyMessages`` (with ``retry_after``), ``MessageNotSent``.
    """
    carrier = carrier_for(means, dispatch.code.channel)
    typed = code_of(means.random(RANDOM_BYTES))
    asked = dispatch.code
    stored = replace(asked, digest=code_digest(means, asked.attempt, asked.account_id, typed))
    if not places.acquire(blocking=False):
        msg = "too many messages are on their way at once"
        raise TooManyMessages(msg, retry_after=5)
    try:
        _remember(means, dispatch, stored)
        _carry(means, carrier, dispatch, typed)
    finally:
        places.release()


def _remember(means: Means, dispatch: Dispatch, stored: SentCode) -> None:
    """Count it and store its digest; raise ``TooManyMessages``, recorded, if it may not go."""
    counters = _counters(means, dispatch)
    target, details = _said(stored)

    def work(tx: Transaction) -> int:
        read = means.stores.lockouts.read
        until = max(
            (found.until for each in counters if refused(found := read(tx, *each), tx.now)),
            default=0,
        )
        if until:
            tx.record(Act(_ACTION, dispatch.actor, target, "refused", details))
            return max(1, (until - tx.now) // SECOND)
        for kind, key in counters:
            count_one(means, tx, kind, key)
        means.stores.message_addresses.send(tx, stored)
        tx.record(Act(_ACTION, dispatch.actor, target, details=details))
        return 0

    wait = means.parts.transactions.run(work)
    if wait:
        msg = "too many codes were sent lately"
        raise TooManyMessages(msg, retry_after=wait)


def _carry(means: Means, carrier: MessageCarrier, dispatch: Dispatch, typed: str) -> None:
    code = dispatch.code
    site = urlsplit(means.options.issuer).netloc
    minutes = str(CODE_LIFETIME // MINUTE)
    parameters = {"code": typed, "minutes": minutes, "site": site}
    text = _TEXTS[code.purpose].into(dispatch.language)
    message = CarriedMessage(
        to=dispatch.to,
        template=code.purpose,
        title=TITLE.into(dispatch.language),
        text=text.format(**parameters),
        key=means.parts.ids.new("msg"),
        parameters=parameters,
    )
    try:
        carrier.carry(message)
    except MessageNotSent as error:
        target, details = _said(code)
        act = Act(_ACTION, dispatch.actor, target, "failed", {**details, "trouble": error.detail})
        means.parts.transactions.run(lambda tx: tx.record(act))
        raise


def _said(code: SentCode) -> tuple[str, dict[str, str]]:
    """Return the target and details of an act: neither address nor code."""
    return f"account:{code.account_id}", {"channel": code.channel, "purpose": code.purpose}


def _counters(means: Means, dispatch: Dispatch) -> list[_Counter]:
    code = dispatch.code

    def key(kind: str, value: str) -> _Counter:
        return kind, means.keys.mac("lockout", f"{kind}|{value}".encode())

    return [
        key("message_pause", code.account_id),
        key("message_account", code.account_id),
        key("message_block", address_block(dispatch.remote)),
        key("message_number", f"{code.channel}|{counted_address(code.channel, dispatch.to)}"),
        key("message_house", ""),
    ]
