"""Duty rosters: who is there when, who is called after whom, and what was called for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from secops.kernel.catalogue import Text

Place = Literal["primary", "deputy"]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
Receiver = Literal["primary", "deputy", "lead", "all"]
RECEIVERS: Final[dict[Receiver, Text]] = {
    "primary": Text("主班", "On duty"),
    "deputy": Text("副班", "Deputy"),
    "lead": Text("带班领导", "Lead"),
    "all": Text("全体", "Everybody"),
}
SwapState = Literal["asked", "agreed", "declined", "withdrawn"]
EscalationState = Literal["open", "exhausted", "acknowledged"]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a roster, and the channel by which they are called."""

    account_id: str
    name: str
    channel_id: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """Whom to call when ``after`` minutes have gone by without anybody acknowledging."""

    to: Receiver
    after: int


@dataclass(frozen=True, slots=True)
class Roster:
    """A roster of an organisation and its escalation policy."""

    id: str
    org_id: str
    name: str
    members: tuple[Member, ...]
    policy: tuple[PolicyStep, ...]
    changed_by: str
    changed_at: int
    version: int = 1

    def member(self, account_id: str) -> Member | None:
        """Return the member with this account."""
        return next((one for one in self.members if one.account_id == account_id), None)


@dataclass(frozen=True, slots=True)
class Shift:
    """From ``starts_at`` up to ``ends_at``; ``deputy_id`` "" where there is none."""

    id: str
    org_id: str
    roster_id: str
    starts_at: int
    ends_at: int
    primary_id: str
    deputy_id: str
    made_by: str
    made_at: int
    version: int = 1

    def holder(self, place: Place) -> str:
        """Return whose place it is."""
        return self.primary_id if place == "primary" else self.deputy_id


@dataclass(frozen=True, slots=True)
class Swap:
    """``from_id`` gives a place of one shift to ``to_id``; the one who did not ask agrees."""

    id: str
    org_id: str
    roster_id: str
    shift_id: str
    shift_version: int
    place: Place
    from_id: str
    to_id: str
    asked_by: str
    asked_at: int
    state: SwapState = "asked"
    decided_at: int | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """What people of a roster are called for, until one of them acknowledges it.

    ``step`` is the next step of the policy, due at ``next_at``.
    """

    id: str
    org_id: str
    roster_id: str
    key: str
    event: str
    subject: str
    title: str
    severity: str
    link: str
    drill: bool
    step: int
    next_at: int
    state: EscalationState
    created_at: int
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None


@dataclass(frozen=True, slots=True)
class Hole:
    """Nobody is on duty from ``starts_at`` up to ``ends_at``; ``why`` names who can't be."""

    starts_at: int
    ends_at: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class DutyView:
    """A roster as it stands: who is on duty now, the shifts of some days, their holes."""

    roster: Roster
    now: int
    current: Shift | None
    shifts: tuple[Shift, ...]
    holes: tuple[Hole, ...]
    swaps: tuple[Swap, ...]
