"""A channel ready to be used: its address and secret opened, or the settings' own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from playbooks.core.notifications.inbox import INBOX
from playbooks.core.notifications.wording import body
from playbooks.core.webhooks import Answer, build_message, read_answer
from playbooks.errors import ChannelUnknown
from playbooks.models import Channel, ChannelKind
from playbooks.models.notifications import Outgoing, StoredChannel
from playbooks.ports import OutgoingMail
from playbooks.service.surroundings import Surroundings
from secops.kernel.catalogue import Language
from secops.kernel.errors import Invalid, SecopsError, Unavailable
from secops.kernel.transactions import Transaction

SETTINGS: Final = "settings:"
IDEMPOTENT: Final = ("generic",)
"""Kinds whose receiver is told the key and can see repeats; a robot shows each post."""
TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Way:
    """Where messages of one channel go. ``enabled`` False: nothing leaves."""

    id: str
    name: str
    channel: Channel
    language: Language = "zh"
    to: tuple[str, ...] = field(default=(), repr=False)
    enabled: bool = True

    @property
    def kind(self) -> ChannelKind:
        """What it is."""
        return self.channel.kind


@dataclass(frozen=True, slots=True)
class Named:
    """A channel by its name: its id and kind, and no secret of it."""

    id: str
    name: str
    kind: ChannelKind
    language: Language = "zh"


def named(channel: StoredChannel) -> Named:
    """Return an organisation's channel by its name."""
    return Named(channel.id, channel.name, channel.kind, channel.language)


def binding(org_id: str, channel_id: str) -> bytes:
    """Return what a channel's sealed address and secret are bound to."""
    return f"channel|{org_id}|{channel_id}".encode()


def seal(s: Surroundings, place: tuple[str, str], content: dict[str, Any]) -> bytes:
    """Return ``content`` sealed for the channel ``place`` = (organisation, id)."""
    plain = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return s.ports.secret_box.seal(plain, binding(*place))


def name_of(s: Surroundings, tx: Transaction, org_id: str, name: str) -> Named:
    """Return the channel called ``name``: the organisation's own, the settings', the inbox.

    ``default`` is the organisation's of that name, or else what the settings say.
    """
    own = s.stores.notifications.channels.by_name(tx, org_id, name)
    if own is not None:
        return named(own)
    wanted = s.options.default_channel if name == "default" else name
    if wanted == INBOX:
        return Named(INBOX, INBOX, INBOX)
    if wanted not in s.options.channels:
        msg = f"no channel {wanted[:60]}"
        raise ChannelUnknown(msg)
    return Named(SETTINGS + wanted, wanted, s.options.channels[wanted].kind)


def open_way(s: Surroundings, tx: Transaction, message: Outgoing) -> Way:
    """Return the channel of a message, opened; raise ``ChannelUnknown`` where it is gone."""
    name = message.channel_id.removeprefix(SETTINGS)
    if name != message.channel_id:
        if name not in s.options.channels:
            msg = f"no channel {name[:60]}"
            raise ChannelUnknown(msg)
        return Way(message.channel_id, name, s.options.channels[name])
    stored = s.stores.notifications.channels.get(tx, message.org_id, message.channel_id)
    return _opened(s, stored)


def _opened(s: Surroundings, stored: StoredChannel) -> Way:
    plain = s.ports.secret_box.open(stored.sealed, binding(stored.org_id, stored.id))
    content = orjson.loads(plain)
    channel = Channel(stored.kind, content["url"], content["secret"])
    to = tuple(content["to"])
    return Way(stored.id, stored.name, channel, stored.language, to, stored.enabled)


def carry(s: Surroundings, way: Way, message: Outgoing) -> Answer:
    """Hand ``message`` over and return what came of it; raises nothing of its receiver's.

    What was sent to a receiver that sees repeats by the key may be sent again: there an
    unclear answer counts as busy.
    """
    try:
        answer = _mailed(s, way, message) if way.kind == "smtp" else _posted(s, way, message)
    except Unavailable as error:
        fixed = error.status == _FORBIDDEN or bool(error.facts.get("permanent"))
        return Answer("refused" if fixed else "busy", error.code)
    except Invalid as error:
        return Answer("refused", error.code)
    except SecopsError as error:
        answer = Answer("unclear", error.code)
    if answer.came == "unclear" and way.kind in IDEMPOTENT:
        return Answer("busy", answer.why)
    return answer


_FORBIDDEN: Final = 403


def _posted(s: Surroundings, way: Way, message: Outgoing) -> Answer:
    text = body(message.text, message.link)
    now = s.parts.clock.now()
    built = build_message(way.channel, title=message.title, text=text, key=message.key, now=now)
    status, answer = s.ports.outbound.post(
        built.url, built.body, dict(built.headers), timeout=TIMEOUT
    )
    return read_answer(way.kind, status, answer)


def _mailed(s: Surroundings, way: Way, message: Outgoing) -> Answer:
    text = body(message.text, message.link)
    s.ports.mailer.send(OutgoingMail(way.to, message.title, text, message.key))
    return Answer("accepted")
