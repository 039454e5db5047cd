"""What is sent to people outside: codes and notices, by short message or mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from secops.kernel.catalogue import Language

Channel = Literal["sms", "mail"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
CodePurpose = Literal["sign_in", "confirm"]
NoticeState = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class CarriedMessage:
    """One message on its way out; its parts are secrets or personal data and never shown.

    ``template`` and ``parameters`` are for gateways that keep their own approved texts,
    ``key`` is the same at every repeat.
    """

    to: str = field(repr=False)
    template: str
    title: str
    text: str = field(repr=False)
    key: str
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MessageAddress:
    """A number or mail address that its owner confirmed; sealed by the key pool."""

    account_id: str
    channel: Channel
    org_id: str
    sealed_address: bytes = field(repr=False)
    created_at: int
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code on its way: known by a keyed digest, bound to one attempt.

    ``sealed_address`` is there only while an address waits for its confirmation.
    """

    attempt: bytes
    org_id: str
    account_id: str
    purpose: CodePurpose
    channel: Channel
    digest: bytes = field(repr=False)
    expires_at: int
    sealed_address: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CodeWish:
    """Somebody who gave a right password asks for a code over ``channel``."""

    reference: str = field(repr=False)
    channel: str
    address: str
    language: Language = "zh"
    device: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address that its owner wants to confirm, and where the wish comes from."""

    channel: str
    text: str = field(repr=False)
    address: str = ""
    language: Language = "zh"


@dataclass(frozen=True, slots=True)
class AskedAddress:
    """A code went to ``masked``; it is confirmed with ``reference``."""

    channel: Channel
    masked: str
    reference: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MaskedAddress:
    """An address as it is shown: recognised by its owner, of no use to others."""

    channel: Channel
    masked: str
    since: int
    last_used_at: int | None = None


@dataclass(frozen=True, slots=True)
class OwnerNotice:
    """One notice to an account's owner over one channel, sent until it is accepted.

    ``sealed_address`` is the address as it was when something happened: whoever changes it
    afterwards keeps no notice away. ``about`` is the instant the text names.
    """

    id: str
    org_id: str
    account_id: str
    channel: Channel
    kind: str
    subject_id: str
    sealed_address: bytes = field(repr=False)
    about: int
    state: NoticeState
    tries: int
    next_at: int
    created_at: int
    trouble: str = ""
