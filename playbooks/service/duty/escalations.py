"""Calls: the person on duty first, then the deputy, the lead, everybody, until one answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final, cast

from playbooks.core.duty import on_duty, receivers
from playbooks.core.notifications.wording import headline
from playbooks.errors import ChannelUnknown
from playbooks.errors.duty import EscalationAcknowledged, NotOnRoster, RosterUnknown
from playbooks.errors.notifications import TooManyKept
from playbooks.models.duty import RECEIVERS, Escalation, Member, PolicyStep, Roster
from playbooks.models.notifications import EventKind, HouseEvent
from playbooks.service.notifications.outbox import Letter, key_of, put
from playbooks.service.notifications.ways import named
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor, system_actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import MINUTE
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.playbooks import DUTY_READ, DUTY_SERVE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

BATCH: Final = 100
_ACTOR: Final = "playbooks-duty"
_CALLED: Final = Text(
    "值班呼叫({place}):{names}。请登录控制台确认。",
    "Duty call ({place}): {names}. Sign in to the console and acknowledge it.",
)


@dataclass(frozen=True, slots=True)
class EscalationService:
    """Calls people step by step; each step is stored with its messages, so it happens once."""

    surroundings: Surroundings

    def list_escalations(self, actor: Actor, page: PageRequest) -> Page[Escalation]:
        """Return what people of the organisation were called for, newest first."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_READ, "escalation:*")
        return s.parts.transactions.read(
            lambda tx: s.stores.duty.escalations.list(tx, actor.org_id, page)
        )

    def show_escalation(self, actor: Actor, escalation_id: str) -> Escalation:
        """Return one of the organisation's."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_READ, f"escalation:{escalation_id}")
        return s.parts.transactions.read(
            lambda tx: s.stores.duty.escalations.get(tx, actor.org_id, escalation_id)
        )

    def acknowledge_escalation(self, actor: Actor, escalation_id: str) -> Escalation:
        """Take care of it: nobody further is called. Only people of the roster may."""
        s = self.surroundings
        target = f"escalation:{escalation_id}"
        s.parts.access.require(actor, DUTY_SERVE, target)

        def work(tx: Transaction) -> Escalation:
            kept = s.stores.duty.escalations
            found = kept.get(tx, actor.org_id, escalation_id)
            roster = s.stores.duty.rosters.get(tx, actor.org_id, found.roster_id)
            if roster.member(actor.id) is None:
                raise NotOnRoster
            if not kept.acknowledge(tx, actor.org_id, escalation_id, actor.id):
                raise EscalationAcknowledged
            details = {"subject": found.subject, "step": found.step}
            tx.record(Act("playbooks.acknowledge_escalation", actor, target, details=details))
            return kept.get(tx, actor.org_id, escalation_id)

        with refusals_recorded(s.parts, "playbooks.acknowledge_escalation", actor, target):
            return s.parts.transactions.run(work)

    def escalate(self) -> bool:
        """Take every step that is due; True when more may wait."""
        s = self.surroundings
        now = s.parts.clock.now()
        due = s.parts.transactions.read(lambda tx: s.stores.duty.escalations.due(tx, now, BATCH))
        for escalation in due:
            s.parts.transactions.run(partial(self._step, escalation=escalation))
        return len(due) == BATCH

    def _step(self, tx: Transaction, escalation: Escalation) -> None:
        """Take one step, if nobody has taken it or acknowledged meanwhile."""
        s = self.surroundings
        try:
            roster = s.stores.duty.rosters.get(tx, escalation.org_id, escalation.roster_id)
        except RosterUnknown:
            roster = None
        policy = roster.policy if roster is not None else ()
        last = escalation.step + 1 >= len(policy)
        after = replace(escalation, step=escalation.step + 1, state="exhausted" if last else "open")
        if not last:
            between = policy[escalation.step + 1].after - policy[escalation.step].after
            after = replace(after, next_at=tx.now + between * MINUTE)
        if not s.stores.duty.escalations.advance(tx, after, escalation.step):
            return
        if roster is not None and escalation.step < len(policy):
            self._call(tx, escalation, roster, policy[escalation.step])

    def _call(
        self, tx: Transaction, escalation: Escalation, roster: Roster, step: PolicyStep
    ) -> None:
        s = self.surroundings
        shift = on_duty(s.stores.duty.shifts.between(tx, roster.id, (tx.now, tx.now + 1)), tx.now)
        called = receivers(step.to, roster, shift)
        for channel_id in dict.fromkeys(one.channel_id for one in called):
            some = [one for one in called if one.channel_id == channel_id]
            self._send(tx, escalation, step, some)
        actor = system_actor(_ACTOR, escalation.org_id)
        details = {
            "subject": escalation.subject,
            "step": escalation.step,
            "to": step.to,
            "called": [one.account_id for one in called],
        }
        target = f"escalation:{escalation.id}"
        tx.record(Act("playbooks.escalate", actor, target, details=details))

    def _send(
        self, tx: Transaction, escalation: Escalation, step: PolicyStep, called: list[Member]
    ) -> None:
        s = self.surroundings
        channel_id = called[0].channel_id
        try:
            to = named(s.stores.notifications.channels.get(tx, escalation.org_id, channel_id))
        except ChannelUnknown:
            return  # the act names who was called; the roster's page warns of the channel
        place = RECEIVERS[step.to].into(to.language)
        names = ", ".join(one.name for one in called)
        letter = Letter(
            org_id=escalation.org_id,
            key=key_of("escalation", escalation.id, str(escalation.step), channel_id),
            event=escalation.event,
            subject=escalation.subject,
            title=headline(_event_of(escalation), to.language),
            text=_CALLED.into(to.language).format(place=place, names=names),
            path=f"/duty/calls/{escalation.id}",
            urgent=True,
            drill=escalation.drill,
        )
        try:
            put(s, tx, to, letter, tx.now)
        except TooManyKept:
            return  # ten thousand wait: the list of messages shows it


def _event_of(escalation: Escalation) -> HouseEvent:
    return HouseEvent(
        org_id=escalation.org_id,
        kind=cast("EventKind", escalation.event),
        key=escalation.key,
        subject=escalation.subject,
        severity=escalation.severity,
        name=escalation.title,
        path=escalation.link,
        at=escalation.created_at,
        drill=escalation.drill,
    )
