"""Shifts of a roster, and places that pass from one person to another with both's consent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from playbooks.core.duty import MAX_SHIFT, overlaps
from playbooks.errors import ChangedMeanwhile
from playbooks.errors.duty import NotOnRoster, ShiftInvalid, SwapRefused
from playbooks.errors.notifications import TooManyKept
from playbooks.models.duty import PLACES, Roster, Shift, Swap, SwapState
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.permissions.playbooks import DUTY_SERVE, ROSTER_MANAGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_AHEAD: Final = 400 * DAY
MAX_ASKED: Final = 100


@dataclass(frozen=True, slots=True)
class NewShift:
    """A shift: people by the names they have in the roster; ``deputy`` may be ""."""

    starts_at: int
    ends_at: int
    primary: str
    deputy: str = ""


@dataclass(frozen=True, slots=True)
class ShiftService:
    """Plans shifts and lets people swap them."""

    surroundings: Surroundings

    def add_shift(self, actor: Actor, roster_id: str, new: NewShift) -> Shift:
        """Store a shift that shares no instant with another of the roster."""
        s = self.surroundings
        s.parts.access.require(actor, ROSTER_MANAGE, f"roster:{roster_id}")
        if not 0 < new.ends_at - new.starts_at <= MAX_SHIFT:
            raise ShiftInvalid("a shift ends after it begins, within 7 days")
        if not 0 < new.starts_at < s.parts.clock.now() + MAX_AHEAD:
            raise ShiftInvalid("a shift begins within the next 400 days")
        shift_id = s.parts.ids.new("sft")

        def work(tx: Transaction) -> Shift:
            roster = s.stores.duty.rosters.get(tx, actor.org_id, roster_id)
            window = (new.starts_at, new.ends_at)
            if overlaps(s.stores.duty.shifts.between(tx, roster_id, window), *window):
                raise ShiftInvalid("another shift runs at that time")
            shift = Shift(
                id=shift_id,
                org_id=actor.org_id,
                roster_id=roster_id,
                starts_at=new.starts_at,
                ends_at=new.ends_at,
                primary_id=_named(roster, new.primary),
                deputy_id=_named(roster, new.deputy) if new.deputy else "",
                made_by=actor.id,
                made_at=tx.now,
            )
            if shift.primary_id == shift.deputy_id:
                raise ShiftInvalid("nobody is their own deputy")
            s.stores.duty.shifts.add(tx, shift)
            tx.record(_act("add_shift", actor, shift))
            return shift

        return s.parts.transactions.run(work)

    def remove_shift(self, actor: Actor, shift_id: str) -> None:
        """Remove a shift; the roster shows the hole."""
        s = self.surroundings
        s.parts.access.require(actor, ROSTER_MANAGE, f"shift:{shift_id}")

        def work(tx: Transaction) -> None:
            shift = s.stores.duty.shifts.get(tx, actor.org_id, shift_id)
            if not s.stores.duty.shifts.remove(tx, shift):
                msg = "the shift was changed meanwhile"
                raise ChangedMeanwhile(msg)
            tx.record(_act("remove_shift", actor, shift))

        s.parts.transactions.run(work)

    def ask_swap(self, actor: Actor, shift_id: str, place: str, other: str) -> Swap:
        """Ask to give one's place to ``other``, or to take theirs; the other has to agree."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_SERVE, f"shift:{shift_id}")
        if place not in PLACES:
            raise ShiftInvalid("a place is primary or deputy")
        wanted = place
        swap_id = s.parts.ids.new("swp")

        def work(tx: Transaction) -> Swap:
            shift = s.stores.duty.shifts.get(tx, actor.org_id, shift_id)
            roster = s.stores.duty.rosters.get(tx, actor.org_id, shift.roster_id)
            if roster.member(actor.id) is None:
                raise NotOnRoster
            if len(s.stores.duty.shifts.asked(tx, roster.id)) >= MAX_ASKED:
                raise TooManyKept
            holder, partner = shift.holder(wanted), _named(roster, other)
            if actor.id == holder:
                pair = (actor.id, partner)
            elif partner == holder:
                pair = (partner, actor.id)
            else:
                raise SwapRefused("the place is neither yours nor theirs")
            _check_swap(shift, pair, tx.now)
            swap = Swap(
                id=swap_id,
                org_id=actor.org_id,
                roster_id=roster.id,
                shift_id=shift.id,
                shift_version=shift.version,
                place=wanted,
                from_id=pair[0],
                to_id=pair[1],
                asked_by=actor.id,
                asked_at=tx.now,
            )
            s.stores.duty.shifts.ask(tx, swap)
            tx.record(_swap_act("ask_swap", actor, swap))
            return swap

        with refusals_recorded(s.parts, "playbooks.ask_swap", actor, f"shift:{shift_id}"):
            return s.parts.transactions.run(work)

    def answer_swap(self, actor: Actor, swap_id: str, *, agree: bool) -> Swap:
        """Agree or decline; whoever asked can only withdraw what they asked for."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_SERVE, f"swap:{swap_id}")

        def work(tx: Transaction) -> Swap:
            swap = s.stores.duty.shifts.swap(tx, actor.org_id, swap_id)
            if actor.id not in (swap.from_id, swap.to_id):
                raise SwapRefused("only the two of them decide")
            state = self._answer(tx, actor, swap, agree=agree)
            settled = replace(swap, state=state, decided_at=tx.now)
            if not s.stores.duty.shifts.settle(tx, settled):
                raise SwapRefused("it was decided before")
            tx.record(_swap_act("answer_swap", actor, settled))
            return settled

        with refusals_recorded(s.parts, "playbooks.answer_swap", actor, f"swap:{swap_id}"):
            return s.parts.transactions.run(work)

    def _answer(self, tx: Transaction, actor: Actor, swap: Swap, *, agree: bool) -> SwapState:
        s = self.surroundings
        if actor.id == swap.asked_by:
            if agree:
                raise SwapRefused("the other one has to agree")
            return "withdrawn"
        if not agree:
            return "declined"
        # a second account of whoever asked is not another person's consent
        s.parts.approvals.require_another(tx, actor, [swap.asked_by])
        shift = s.stores.duty.shifts.get(tx, actor.org_id, swap.shift_id)
        if shift.version != swap.shift_version:
            raise SwapRefused("the shift changed since it was asked")
        _check_swap(shift, (swap.from_id, swap.to_id), tx.now)
        if not s.stores.duty.shifts.hand_over(tx, shift, swap.place, swap.to_id):
            raise SwapRefused("the shift changed since it was asked")
        return "agreed"


def _named(roster: Roster, name: str) -> str:
    """Return the account of a member by its name or id; raise ``ShiftInvalid``."""
    for member in roster.members:
        if name in (member.name, member.account_id):
            return member.account_id
    raise ShiftInvalid(f"{name[:60]} is not on the roster")


def _check_swap(shift: Shift, pair: tuple[str, str], now: int) -> None:
    if shift.ends_at <= now:
        raise SwapRefused("the shift is over")
    if pair[0] == pair[1] or pair[1] in (shift.primary_id, shift.deputy_id):
        raise SwapRefused("whoever takes the place has one of this shift already")


def _act(verb: str, actor: Actor, shift: Shift) -> Act:
    details = {
        "roster": shift.roster_id,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "primary": shift.primary_id,
        "deputy": shift.deputy_id,
    }
    return Act(f"playbooks.{verb}", actor, f"shift:{shift.id}", details=details)


def _swap_act(verb: str, actor: Actor, swap: Swap) -> Act:
    details = {
        "shift": swap.shift_id,
        "place": swap.place,
        "from": swap.from_id,
        "to": swap.to_id,
        "state": swap.state,
    }
    return Act(f"playbooks.{verb}", actor, f"swap:{swap.id}", details=details)
