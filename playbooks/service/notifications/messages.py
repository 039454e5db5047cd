"""What left, what waits, and what a person has to decide about: the dead letters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.texts import bounded
from playbooks.errors.notifications import MessageSettled
from playbooks.models.notifications import OUTGOING_STATES, STUCK_STATES, Outgoing, OutgoingState
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import MESSAGE_READ, MESSAGE_RESOLVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class MessageService:
    """Lists messages to people outside, and carries out what is decided about the stuck ones."""

    surroundings: Surroundings

    def list_messages(self, actor: Actor, state: str | None, page: PageRequest) -> Page[Outgoing]:
        """Return the organisation's messages, newest first; ``stuck`` are dead and unknown."""
        s = self.surroundings
        s.parts.access.require(actor, MESSAGE_READ, "message:*")
        wanted = STUCK_STATES if state == "stuck" else () if state is None else (state,)
        if not set(wanted) <= set(OUTGOING_STATES):
            msg = f"a state is stuck or one of {', '.join(OUTGOING_STATES)}"
            raise Invalid(msg)
        return s.parts.transactions.read(
            lambda tx: s.stores.notifications.outgoing.list(tx, actor.org_id, wanted, page)
        )

    def show_message(self, actor: Actor, message_id: str) -> Outgoing:
        """Return one message of the organisation."""
        s = self.surroundings
        s.parts.access.require(actor, MESSAGE_READ, f"message:{message_id}")
        return s.parts.transactions.read(
            lambda tx: s.stores.notifications.outgoing.get(tx, actor.org_id, message_id)
        )

    def resend_message(self, actor: Actor, message_id: str, *, reason: str) -> Outgoing:
        """Let it leave once more, under its old key: who can see repeats sees that it is one."""
        return self._decide(actor, message_id, "queued", ("resend_message", reason))

    def drop_message(self, actor: Actor, message_id: str, *, reason: str) -> Outgoing:
        """Give it up; it stays in the list of what was dropped."""
        return self._decide(actor, message_id, "dropped", ("drop_message", reason))

    def _decide(
        self, actor: Actor, message_id: str, state: OutgoingState, why: tuple[str, str]
    ) -> Outgoing:
        s = self.surroundings
        s.parts.access.require(actor, MESSAGE_RESOLVE, f"message:{message_id}")
        verb, reason = why[0], bounded(why[1], MAX_REASON, "reason")

        def work(tx: Transaction) -> Outgoing:
            kept = s.stores.notifications.outgoing
            old = kept.get(tx, actor.org_id, message_id)
            settled = tx.now if state == "dropped" else None
            new = replace(old, state=state, tries=0, next_at=tx.now, settled_at=settled)
            if old.state not in STUCK_STATES or not kept.move(tx, new, old.state, old.tries):
                raise MessageSettled
            details = {"was": old.state, "why": old.trouble, "reason": reason}
            tx.record(Act(f"playbooks.{verb}", actor, f"message:{message_id}", details=details))
            return new

        with refusals_recorded(s.parts, f"playbooks.{verb}", actor, f"message:{message_id}"):
            return s.parts.transactions.run(work)
