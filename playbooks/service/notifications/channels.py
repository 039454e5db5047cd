"""Channels of an organisation: made, changed, switched and tried by its system administrator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast, get_args

from playbooks.core.notifications.addresses import mail_address, masked_mail, webhook_host
from playbooks.core.notifications.inbox import INBOX
from playbooks.errors.notifications import ChannelDisabled, ChannelInvalid, TooManyKept
from playbooks.models import ChannelKind
from playbooks.models.notifications import KINDS, ChannelDraft, Outgoing, StoredChannel
from playbooks.service.notifications.outbox import Letter, put
from playbooks.service.notifications.ways import named, seal
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.catalogue import Language, Text
from secops.kernel.permissions.playbooks import CHANNEL_MANAGE, CHANNEL_READ
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_CHANNELS: Final = 100
MAX_SECRET: Final = 256
MAX_TO: Final = 20
_NAME: Final = re.compile(r"[\w-]{1,60}")
_RESERVED: Final = (INBOX,)
_TEST: Final = Text("通知渠道测试", "A test of this channel")


@dataclass(frozen=True, slots=True)
class ChannelService:
    """Keeps channels. Their addresses and secrets go in and never come out again."""

    surroundings: Surroundings

    def list_channels(self, actor: Actor) -> Sequence[StoredChannel]:
        """Return the organisation's channels by name."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_READ, "channel:*")
        return s.parts.transactions.read(
            lambda tx: s.stores.notifications.channels.all_of(tx, actor.org_id)
        )

    def create_channel(self, actor: Actor, draft: ChannelDraft) -> StoredChannel:
        """Store a new channel, switched on."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_MANAGE, "channel:*")
        content, hint = _content(draft)
        channel_id = s.parts.ids.new("chn")
        kept = s.stores.notifications.channels

        def work(tx: Transaction) -> StoredChannel:
            if len(kept.all_of(tx, actor.org_id)) >= MAX_CHANNELS:
                raise TooManyKept
            channel = StoredChannel(
                id=channel_id,
                org_id=actor.org_id,
                name=draft.name,
                kind=cast("ChannelKind", draft.kind),
                sealed=sealed,
                hint=hint,
                language=cast("Language", draft.language),
                enabled=True,
                changed_by=actor.id,
                changed_at=tx.now,
            )
            kept.add(tx, channel)
            tx.record(_act("create_channel", actor, channel))
            return channel

        with refusals_recorded(s.parts, "playbooks.create_channel", actor, f"channel:{channel_id}"):
            sealed = seal(s, (actor.org_id, channel_id), content)
            return s.parts.transactions.run(work)

    def change_channel(
        self, actor: Actor, channel_id: str, draft: ChannelDraft, *, version: int
    ) -> StoredChannel:
        """Store the channel anew, whole, in place of ``version``; its kind stays."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_MANAGE, f"channel:{channel_id}")
        content, hint = _content(draft)
        sealed = seal(s, (actor.org_id, channel_id), content)

        def work(tx: Transaction) -> StoredChannel:
            old = s.stores.notifications.channels.get(tx, actor.org_id, channel_id)
            if old.kind != draft.kind:
                msg = "a channel keeps its kind: make another"
                raise ChannelInvalid(msg)
            changed = replace(
                old,
                name=draft.name,
                sealed=sealed,
                hint=hint,
                language=cast("Language", draft.language),
                changed_by=actor.id,
                changed_at=tx.now,
                version=version + 1,
            )
            s.stores.notifications.channels.change(tx, changed, version)
            tx.record(_act("change_channel", actor, changed))
            return changed

        with refusals_recorded(s.parts, "playbooks.change_channel", actor, f"channel:{channel_id}"):
            return s.parts.transactions.run(work)

    def switch_channel(
        self, actor: Actor, channel_id: str, *, enabled: bool, version: int
    ) -> StoredChannel:
        """Switch it on or off; what waits for a channel that is off fails, and is kept."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_MANAGE, f"channel:{channel_id}")

        def work(tx: Transaction) -> StoredChannel:
            old = s.stores.notifications.channels.get(tx, actor.org_id, channel_id)
            changed = replace(
                old,
                enabled=enabled,
                changed_by=actor.id,
                changed_at=tx.now,
                version=version + 1,
            )
            s.stores.notifications.channels.change(tx, changed, version)
            tx.record(_act("switch_channel", actor, changed))
            return changed

        with refusals_recorded(s.parts, "playbooks.switch_channel", actor, f"channel:{channel_id}"):
            return s.parts.transactions.run(work)

    def test_channel(self, actor: Actor, channel_id: str) -> Outgoing:
        """Send a test message by the way that all messages take; return it as it waits."""
        s = self.surroundings
        s.parts.access.require(actor, CHANNEL_MANAGE, f"channel:{channel_id}")
        key = s.parts.ids.new("test")

        def work(tx: Transaction) -> Outgoing:
            channel = s.stores.notifications.channels.get(tx, actor.org_id, channel_id)
            if not channel.enabled:
                raise ChannelDisabled
            letter = Letter(
                org_id=actor.org_id,
                key=key,
                event="test",
                subject=f"channel:{channel.id}",
                title=_TEST.into(channel.language),
                text=channel.name,
                path="/notifications/channels",
                urgent=True,
            )
            message = put(s, tx, named(channel), letter, tx.now)
            tx.record(_act("test_channel", actor, channel))
            return message

        with refusals_recorded(s.parts, "playbooks.test_channel", actor, f"channel:{channel_id}"):
            return s.parts.transactions.run(work)


def _act(verb: str, actor: Actor, channel: StoredChannel) -> Act:
    """Return the act: which channel, what kind, on or off; no address, not even its host."""
    details = {"kind": channel.kind, "enabled": channel.enabled, "version": channel.version}
    return Act(f"playbooks.{verb}", actor, f"channel:{channel.id}", details=details)


def _content(draft: ChannelDraft) -> tuple[dict[str, Any], str]:
    """Return what is sealed and what may be shown; raise ``ChannelInvalid``.

    No error repeats what was entered: an address of a robot is a secret.
    """
    if draft.kind not in KINDS:
        raise ChannelInvalid("the kind is smtp, generic, wecom, dingtalk or feishu")
    if _NAME.fullmatch(draft.name) is None or draft.name in _RESERVED:
        raise ChannelInvalid("the name is 1 to 60 letters, digits, _ or -, and not inbox")
    if draft.language not in get_args(Language):
        raise ChannelInvalid("the language is zh or en")
    if len(draft.secret) > MAX_SECRET or not draft.secret.isprintable():
        raise ChannelInvalid("the secret is at most 256 printable characters")
    try:
        if draft.kind == "smtp":
            return _mail_content(draft)
        hint = webhook_host(draft.url)
    except ValueError as error:
        raise ChannelInvalid(str(error)) from None
    if draft.to:
        raise ChannelInvalid("a webhook has no recipients")
    return {"url": draft.url, "secret": draft.secret, "to": []}, hint


def _mail_content(draft: ChannelDraft) -> tuple[dict[str, Any], str]:
    if draft.url or draft.secret:
        raise ChannelInvalid("mail goes by the server of the settings: give recipients only")
    if not 0 < len(draft.to) <= MAX_TO:
        raise ChannelInvalid("mail goes to 1 to 20 recipients")
    to = list(dict.fromkeys(mail_address(one) for one in draft.to))
    more = f" +{len(to) - 1}" if len(to) > 1 else ""
    return {"url": "", "secret": "", "to": to}, masked_mail(to[0]) + more
