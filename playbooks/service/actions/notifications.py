"""notify.send: a message to a group's robot, a webhook, or the product's own inbox."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.core.webhooks import build_message, refusal
from playbooks.errors import ChannelUnknown, EffectUnknown, NotificationFailed
from playbooks.models import Channel, Notification, PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.surroundings import Surroundings
from secops.kernel.errors import Invalid, SecopsError, Unavailable


class SendNotification:
    """notify.send: a message to a group's robot, a webhook, or the product's own inbox."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def _channel(self, name: str) -> tuple[str, Channel]:
        options = self._s.options
        wanted = options.default_channel if name == "default" else name
        if wanted == "inbox":
            return wanted, Channel("inbox")
        if wanted not in options.channels:
            msg = f"no channel {wanted[:60]}"
            raise ChannelUnknown(msg)
        return wanted, options.channels[wanted]

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the channel; never its address, which is a secret."""
        del org_id
        name, channel = self._channel(args["channel"])
        return (
            TargetState(
                target=f"channel:{name}",
                label=name,
                version=channel.kind,
                before="",
                after=args["title"],
            ),
        )

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat in the inbox, which takes a key once; robots can't be asked what they got."""
        _, channel = self._channel(step.args["channel"])
        return "idempotent" if channel.kind == "inbox" else "neither"

    def perform(self, call: Call) -> Performed:
        """Send, then keep what was sent; the receiver's own answer is the read-back."""
        args = call.step.args
        name, channel = self._channel(args["channel"])
        if channel.kind != "inbox":
            self._post(channel, call)
        self._keep(call, name, channel)
        return Performed(verified=True, details={"channel": name, "kind": channel.kind})

    def holds(self, call: Call) -> bool:
        """Return False: a robot can't be read."""
        del call
        return False

    def _post(self, channel: Channel, call: Call) -> None:
        args, order = call.step.args, call.order
        now = self._s.parts.clock.now()
        message = build_message(
            channel, title=args["title"], text=args["text"], key=order.key, now=now
        )
        timeout = call.step.timeout_ms / 1_000
        try:
            status, body = self._s.ports.outbound.post(
                message.url, message.body, dict(message.headers), timeout=timeout
            )
        except (Unavailable, Invalid):
            raise  # nothing was sent
        except SecopsError as error:
            raise EffectUnknown(error.code) from error
        problem = refusal(channel, status, body)
        if problem:
            raise NotificationFailed(problem)

    def _keep(self, call: Call, name: str, channel: Channel) -> None:
        order, args = call.order, call.step.args
        notification = Notification(
            id=self._s.parts.ids.new("ntf"),
            org_id=order.org_id,
            incident_id=order.incident_id,
            channel=name,
            kind=channel.kind,
            title=args["title"][:200],
            text=args["text"][:4_000],
            key=order.key,
            at=self._s.parts.clock.now(),
        )
        self._s.parts.transactions.run(lambda tx: self._s.stores.runs.notify(tx, notification))
