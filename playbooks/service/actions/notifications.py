"""notify.send: a message to a channel of the organisation, or to the product's own inbox."""

from __future__ import annotations

from collections.abc import Mapping

from playbooks.core.notifications.inbox import INBOX, inbox_message
from playbooks.models import PlannedStep, TargetState
from playbooks.service.actions.calls import Call, Performed, Recovery
from playbooks.service.notifications.outbox import Letter, put
from playbooks.service.notifications.ways import Named, name_of
from playbooks.service.surroundings import Surroundings
from secops.kernel.transactions import Transaction


class SendNotification:
    """notify.send: the step is done when its message is stored; the way out is the queue's.

    The message's key is the step's, so that repeating it stores nothing twice.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._s = surroundings

    def _channel(self, org_id: str, name: str) -> Named:
        return self._s.parts.transactions.read(lambda tx: name_of(self._s, tx, org_id, name))

    def inspect(self, org_id: str, args: Mapping[str, str]) -> tuple[TargetState, ...]:
        """Return the channel; never its address, which is a secret."""
        channel = self._channel(org_id, args["channel"])
        return (
            TargetState(
                target=f"channel:{channel.name}",
                label=channel.name,
                version=channel.kind,
                before="",
                after=args["title"],
            ),
        )

    def recovery(self, step: PlannedStep) -> Recovery:
        """Repeat: inbox and queue take a key once."""
        del step
        return "idempotent"

    def perform(self, call: Call) -> Performed:
        """Store the message for its channel and read back that it is there."""
        channel = self._channel(call.order.org_id, call.step.args["channel"])
        if channel.kind == INBOX:
            self._keep(call)
        else:
            self._s.parts.transactions.run(lambda tx: self._put(tx, call, channel))
        details = {"channel": channel.name, "kind": channel.kind}
        return Performed(verified=self.holds(call), details=details)

    def holds(self, call: Call) -> bool:
        """Tell whether the message is kept: in the inbox, or among what is on its way."""
        key, stores = call.order.key, self._s.stores

        def look(tx: Transaction) -> bool:
            if stores.notifications.outgoing.find(tx, key) is not None:
                return True
            return stores.runs.is_notified(tx, key)

        return self._s.parts.transactions.read(look)

    def _put(self, tx: Transaction, call: Call, channel: Named) -> None:
        order, args = call.order, call.step.args
        incident = self._s.stores.incidents.get(tx, order.org_id, order.incident_id)
        letter = Letter(
            org_id=order.org_id,
            key=order.key,
            event="playbook",
            subject=f"incident:{order.incident_id}",
            title=args["title"],
            text=args["text"],
            path=f"/incidents/{order.incident_id}",
            urgent=incident.severity == "critical",
            drill=incident.drill,
        )
        put(self._s, tx, channel, letter, tx.now)

    def _keep(self, call: Call) -> None:
        order, args = call.order, call.step.args
        notification = inbox_message(
            self._s.parts.ids.new("ntf"),
            (order.org_id, order.incident_id),
            (args["title"], args["text"]),
            key=order.key,
            at=self._s.parts.clock.now(),
        )
        self._s.parts.transactions.run(lambda tx: self._s.stores.runs.notify(tx, notification))
