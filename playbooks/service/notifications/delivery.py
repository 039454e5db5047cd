"""The way out: what waits is sent within each channel's limits, once where once can be had.

A try is stored before it begins. What a crash left begun is repeated where the receiver sees
repeats by the key, and is said to be of unknown outcome everywhere else: a person decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from playbooks.core.notifications.rates import pause, remembered, room
from playbooks.core.notifications.wording import digest, titled
from playbooks.core.webhooks import Answer, Came
from playbooks.errors import ChannelUnknown
from playbooks.models import Notification
from playbooks.models.notifications import Outgoing, OutgoingState
from playbooks.service.notifications.outbox import key_of
from playbooks.service.notifications.ways import IDEMPOTENT, Way, carry, open_way
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import system_actor
from secops.kernel.clock import SECOND
from secops.kernel.errors import SecopsError
from secops.kernel.trail import Act, Outcome
from secops.kernel.transactions import Transaction

BATCH: Final = 200
CLAIM: Final = 60 * SECOND
"""How long a try may take before it counts as lost; the longest lasts ten seconds."""
TICK_SECONDS: Final = 15.0
REST: Final = 30 * SECOND
"""How long a channel rests after an answer that was busy or unclear."""
_ACTOR: Final = "playbooks-messages"
_OUTCOMES: Final[dict[OutgoingState, Outcome]] = {
    "sent": "done",
    "unknown": "unknown",
    "dead": "failed",
}


@dataclass(frozen=True, slots=True)
class DeliveryService:
    """Sends what is due."""

    surroundings: Surroundings

    def deliver(self) -> bool:
        """Send what is due, for a quarter of a minute at most; True when more may wait."""
        s = self.surroundings
        began, now = s.parts.clock.monotonic(), s.parts.clock.now()
        kept = s.stores.notifications.outgoing
        for message in s.parts.transactions.read(lambda tx: kept.lost(tx, now, BATCH)):
            self._settle(message, self._lost(message))
        due = s.parts.transactions.read(lambda tx: kept.due(tx, now, BATCH))
        for _, some in groupby(sorted(due, key=_channel), _channel):
            # urgent ones first again: sorting by channel keeps the order within one
            if not self._serve(list(some), began):
                return True
        return len(due) == BATCH

    def _serve(self, messages: Sequence[Outgoing], began: float) -> bool:
        """Send one channel's messages; False when the time of this tick is up."""
        s = self.surroundings
        try:
            way = s.parts.transactions.read(lambda tx: open_way(s, tx, messages[0]))
        except SecopsError as error:
            self._set_aside(messages, error)
            return True
        if not way.enabled:
            for message in messages:
                self._settle(message, Answer("refused", "playbooks.channel_disabled"))
            return True
        for message in self._within_limits(way, messages):
            if s.parts.clock.monotonic() - began > TICK_SECONDS:
                return False
            if not self._try(way, message):
                self._hold(way)
                break
        return True

    def _hold(self, way: Way) -> None:
        """Let a channel rest whose receiver is slow or down: it keeps no other channel waiting."""
        s = self.surroundings
        kept = s.stores.notifications.outgoing
        s.parts.transactions.run(lambda tx: kept.hold(tx, way.id, tx.now + REST))

    def _within_limits(self, way: Way, messages: Sequence[Outgoing]) -> Sequence[Outgoing]:
        """Return what may leave now; what is too much becomes one digest, or waits."""
        s = self.surroundings
        kept = s.stores.notifications
        digest_id = s.parts.ids.new("out")

        def work(tx: Transaction) -> Sequence[Outgoing]:
            left = room(way.kind, kept.channels.sent(tx, way.id), tx.now)
            if left.free == 0:
                for one in messages:
                    kept.outgoing.move(tx, replace(one, next_at=left.again_at), "queued", one.tries)
                return []
            if len(messages) <= left.free:
                return messages
            single, rest = messages[: left.free - 1], messages[left.free - 1 :]
            told = [
                one
                for one in rest
                if kept.outgoing.move(
                    tx,
                    replace(one, state="digested", settled_at=tx.now, digest_id=digest_id),
                    "queued",
                    one.tries,
                )
            ]
            if not told:
                return single  # another process was quicker with all of them
            whole = _digest_of(way, told, (digest_id, s.options.site), tx.now)
            kept.outgoing.add(tx, whole)
            return [*single, whole]

        return s.parts.transactions.run(work)

    def _try(self, way: Way, message: Outgoing) -> bool:
        """Hand it over, unless another process does; False when its receiver is in trouble."""
        s = self.surroundings
        kept = s.stores.notifications

        def claim(tx: Transaction) -> Outgoing | None:
            begun = replace(
                message, state="sending", tries=message.tries + 1, next_at=tx.now + CLAIM
            )
            if not kept.outgoing.move(tx, begun, "queued", message.tries):
                return None  # dropped, or another process was quicker
            sent = [*remembered(way.kind, kept.channels.sent(tx, way.id), tx.now), tx.now]
            kept.channels.note_sent(tx, message.org_id, way.id, sent)
            return begun

        begun = s.parts.transactions.run(claim)
        if begun is None:
            return True
        answer = _carried(s, way, begun)
        self._settle(begun, answer, way)
        return answer.came not in ("busy", "unclear")

    def _settle(self, message: Outgoing, answer: Answer, way: Way | None = None) -> None:
        """Store what came of it, unless another has since."""
        s = self.surroundings
        chance = s.parts.randomness.bytes(1)[0]
        notification_id = s.parts.ids.new("ntf")

        def work(tx: Transaction) -> None:
            after = _after(message, answer, tx.now, chance)
            moved = s.stores.notifications.outgoing.move(tx, after, message.state, message.tries)
            if not moved or after.state == "queued":
                return
            self._record(tx, after)
            if after.state == "sent" and way is not None:
                s.stores.runs.notify(tx, _told(after, way, notification_id))

        s.parts.transactions.run(work)

    def _record(self, tx: Transaction, message: Outgoing) -> None:
        actor = system_actor(_ACTOR, message.org_id)
        outcome = _OUTCOMES[message.state]
        details = {
            "channel": message.channel_id,
            "event": message.event,
            "tries": message.tries,
            "why": message.trouble,
        }
        target = f"message:{message.id}"
        tx.record(Act("playbooks.send_message", actor, target, outcome, details))
        kind, _, incident_id = message.subject.partition(":")
        if kind == "incident" and outcome != "done":
            word = "结果未知" if message.state == "unknown" else "未能送达"
            place = (message.org_id, incident_id)
            self.surroundings.tell(
                tx, actor, place, "message", f"通知{word}:{message.title}", message_id=message.id
            )

    def _set_aside(self, messages: Sequence[Outgoing], error: SecopsError) -> None:
        """Settle what has no open channel: gone for good, or while the key pool is locked."""
        for message in messages:
            came: Came = "refused" if isinstance(error, ChannelUnknown) else "busy"
            self._settle(message, Answer(came, error.code))

    def _lost(self, message: Outgoing) -> Answer:
        s = self.surroundings
        try:
            way = s.parts.transactions.read(lambda tx: open_way(s, tx, message))
        except SecopsError:
            return Answer("unclear", "outcome_lost")
        return Answer("busy" if way.kind in IDEMPOTENT else "unclear", "outcome_lost")


def _channel(message: Outgoing) -> tuple[str, str]:
    # the settings' channel serves every organisation: nothing of one goes into another's digest
    return message.channel_id, message.org_id


def _carried(s: Surroundings, way: Way, message: Outgoing) -> Answer:
    try:
        return carry(s, way, message)
    except Exception as error:  # noqa: BLE001 - a fault in one message keeps no other waiting
        return Answer("unclear", type(error).__name__)


def _after(message: Outgoing, answer: Answer, now: int, chance: int) -> Outgoing:
    """Return the message as it stands after a try that came out so."""
    if answer.came == "accepted":
        return replace(message, state="sent", settled_at=now, trouble="")
    trouble = answer.why[:200]
    if answer.came == "unclear":
        return replace(message, state="unknown", settled_at=now, trouble=trouble)
    tries = max(message.tries, 1)
    waited = pause(tries, chance) if answer.came == "busy" else None
    if waited is None:
        return replace(message, state="dead", settled_at=now, trouble=trouble)
    return replace(message, state="queued", tries=tries, next_at=now + waited, trouble=trouble)


def _digest_of(
    way: Way, messages: Sequence[Outgoing], about: tuple[str, str], now: int
) -> Outgoing:
    """Return one message instead of several; ``about`` is its id and where the console is."""
    title, text = digest([one.title for one in messages], way.language)
    drill = all(one.drill for one in messages)
    return Outgoing(
        id=about[0],
        org_id=messages[0].org_id,
        channel_id=way.id,
        key=key_of("digest", *(one.id for one in messages)),
        event="digest",
        subject="",
        title=titled(title, way.language, drill=drill),
        text=text,
        link=about[1],
        urgent=any(one.urgent for one in messages),
        drill=drill,
        state="queued",
        tries=0,
        next_at=now,
        created_at=now,
    )


def _told(message: Outgoing, way: Way, notification_id: str) -> Notification:
    kind, _, incident_id = message.subject.partition(":")
    return Notification(
        id=notification_id,
        org_id=message.org_id,
        incident_id=incident_id if kind == "incident" else "",
        channel=way.name,
        kind=way.kind,
        title=message.title,
        text=message.text,
        key=message.key,
        at=message.settled_at or message.created_at,
    )
