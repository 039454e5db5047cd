"""Rosters of an organisation: who may be on duty, and who is called after whom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from playbooks.core.duty import DEFAULT_POLICY, check_members, check_policy, holes, on_duty
from playbooks.errors import ChannelUnknown
from playbooks.errors.duty import RosterInvalid
from playbooks.errors.notifications import TooManyKept
from playbooks.models.duty import DutyView, Member, PolicyStep, Receiver, Roster
from playbooks.service.refusals import refusals_recorded
from playbooks.service.surroundings import Surroundings
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.permissions.playbooks import DUTY_READ, ROSTER_MANAGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_ROSTERS: Final = 50
MAX_DAYS: Final = 31
MAX_MEMBERS_ENTERED: Final = 100
_NAME: Final = re.compile(r"[\w -]{1,60}")


@dataclass(frozen=True, slots=True)
class RosterDraft:
    """What an administrator enters: account and channel by name, whether a lead; and steps."""

    name: str
    members: tuple[tuple[str, str, bool], ...]
    policy: tuple[tuple[str, int], ...] = tuple((one.to, one.after) for one in DEFAULT_POLICY)


@dataclass(frozen=True, slots=True)
class RosterService:
    """Keeps rosters and tells who is on duty."""

    surroundings: Surroundings

    def list_rosters(self, actor: Actor) -> Sequence[Roster]:
        """Return the organisation's rosters by name."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_READ, "roster:*")
        return s.parts.transactions.read(lambda tx: s.stores.duty.rosters.all_of(tx, actor.org_id))

    def show_roster(
        self, actor: Actor, roster_id: str, since: int | None = None, days: int = 7
    ) -> DutyView:
        """Return a roster, who is on duty now, and ``days`` from ``since`` (now) on."""
        s = self.surroundings
        s.parts.access.require(actor, DUTY_READ, f"roster:{roster_id}")
        now = s.parts.clock.now()
        begins = now if since is None else since
        window = (begins, begins + min(max(days, 1), MAX_DAYS) * DAY)

        def look(tx: Transaction) -> DutyView:
            roster = s.stores.duty.rosters.get(tx, actor.org_id, roster_id)
            kept = s.stores.duty.shifts
            current = on_duty(kept.between(tx, roster_id, (now, now + 1)), now)
            shifts = tuple(kept.between(tx, roster_id, window))
            swaps = tuple(kept.asked(tx, roster_id))
            return DutyView(roster, now, current, shifts, (), swaps)

        view = s.parts.transactions.read(look)
        return replace(view, holes=holes(view.shifts, window, self._absent(view.roster)))

    def who_is_on_duty(self, actor: Actor) -> Sequence[DutyView]:
        """Return every roster of the organisation with who is on duty now."""
        return [self.show_roster(actor, one.id, days=1) for one in self.list_rosters(actor)]

    def create_roster(self, actor: Actor, draft: RosterDraft) -> Roster:
        """Store a new roster."""
        s = self.surroundings
        s.parts.access.require(actor, ROSTER_MANAGE, "roster:*")
        roster_id = s.parts.ids.new("ros")
        accounts = self._accounts(actor, draft)
        policy = _policy(draft)

        def work(tx: Transaction) -> Roster:
            if len(s.stores.duty.rosters.all_of(tx, actor.org_id)) >= MAX_ROSTERS:
                raise TooManyKept
            members = self._members(tx, actor, draft, accounts)
            roster = Roster(roster_id, actor.org_id, draft.name, members, policy, actor.id, tx.now)
            s.stores.duty.rosters.add(tx, roster)
            tx.record(_act("create_roster", actor, roster))
            return roster

        with refusals_recorded(s.parts, "playbooks.create_roster", actor, f"roster:{roster_id}"):
            return s.parts.transactions.run(work)

    def change_roster(
        self, actor: Actor, roster_id: str, draft: RosterDraft, *, version: int
    ) -> Roster:
        """Store it anew, whole, in place of ``version``."""
        s = self.surroundings
        s.parts.access.require(actor, ROSTER_MANAGE, f"roster:{roster_id}")
        accounts = self._accounts(actor, draft)
        policy = _policy(draft)

        def work(tx: Transaction) -> Roster:
            old = s.stores.duty.rosters.get(tx, actor.org_id, roster_id)
            changed = replace(
                old,
                name=draft.name,
                members=self._members(tx, actor, draft, accounts),
                policy=policy,
                changed_by=actor.id,
                changed_at=tx.now,
                version=version + 1,
            )
            s.stores.duty.rosters.change(tx, changed, version)
            tx.record(_act("change_roster", actor, changed))
            return changed

        with refusals_recorded(s.parts, "playbooks.change_roster", actor, f"roster:{roster_id}"):
            return s.parts.transactions.run(work)

    def _absent(self, roster: Roster) -> frozenset[str]:
        """Return the accounts of a roster that can't sign in now: locked, left, removed."""
        look = self.surroundings.ports.containment.look
        states = {
            one.account_id: look("account", roster.org_id, one.account_id) for one in roster.members
        }
        return frozenset(
            account_id
            for account_id, state in states.items()
            if state is None or state.held or state.state != "active"
        )

    def _accounts(self, actor: Actor, draft: RosterDraft) -> dict[str, str]:
        """Return the ids of the accounts that are named, all of the caller's organisation."""
        look = self.surroundings.ports.containment.look
        found = {}
        if _NAME.fullmatch(draft.name) is None:
            raise RosterInvalid("the name is 1 to 60 letters, digits, spaces, _ or -")
        if len(draft.members) > MAX_MEMBERS_ENTERED:
            raise RosterInvalid("too many members")
        for name, _, _ in draft.members:
            state = look("account", actor.org_id, name[:128])
            if state is None:
                raise RosterInvalid(f"no account {name[:60]} here")
            found[name] = state.id
        return found

    def _members(
        self, tx: Transaction, actor: Actor, draft: RosterDraft, accounts: dict[str, str]
    ) -> tuple[Member, ...]:
        kept = self.surroundings.stores.notifications.channels
        members = []
        for name, channel_name, lead in draft.members:
            channel = kept.by_name(tx, actor.org_id, channel_name)
            if channel is None:
                msg = f"no channel {channel_name[:60]}"
                raise ChannelUnknown(msg)
            members.append(Member(accounts[name], name, channel.id, lead))
        problem = check_members(members)
        if problem:
            raise RosterInvalid(problem)
        return tuple(members)


def _policy(draft: RosterDraft) -> tuple[PolicyStep, ...]:
    policy = tuple(PolicyStep(cast("Receiver", to), after) for to, after in draft.policy)
    problem = check_policy(policy)
    if problem:
        raise RosterInvalid(problem)
    return policy


def _act(verb: str, actor: Actor, roster: Roster) -> Act:
    details = {
        "members": [one.account_id for one in roster.members],
        "policy": [f"{one.to}+{one.after}" for one in roster.policy],
        "version": roster.version,
    }
    return Act(f"playbooks.{verb}", actor, f"roster:{roster.id}", details=details)
