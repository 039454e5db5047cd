"""Who is on duty, where nobody is, and who is called after whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from playbooks.models.duty import RECEIVERS, Hole, Member, PolicyStep, Receiver, Roster, Shift
from secops.kernel.clock import DAY

DEFAULT_POLICY: Final = (
    PolicyStep("primary", 0),
    PolicyStep("deputy", 10),
    PolicyStep("lead", 20),
    PolicyStep("all", 30),
)
MAX_MEMBERS: Final = 50
MAX_STEPS: Final = 10
MAX_AFTER: Final = 24 * 60
MAX_SHIFT: Final = 7 * DAY


def on_duty(shifts: Sequence[Shift], now: int) -> Shift | None:
    """Return the shift that runs at ``now``; of several the one that began last."""
    running = [one for one in shifts if one.starts_at <= now < one.ends_at]
    return max(running, key=lambda one: (one.starts_at, one.id), default=None)


def holes(
    shifts: Sequence[Shift], window: tuple[int, int], absent: Collection[str]
) -> tuple[Hole, ...]:
    """Return when in ``window`` nobody is on duty, or only accounts that can't sign in."""
    found: list[Hole] = []
    covered = window[0]
    for shift in sorted(shifts, key=lambda one: one.starts_at):
        begins, ends = max(shift.starts_at, window[0]), min(shift.ends_at, window[1])
        if begins >= ends:
            continue
        if begins > covered:
            found.append(Hole(covered, begins))
        if shift.primary_id in absent:
            found.append(Hole(begins, ends, shift.primary_id))
        covered = max(covered, ends)
    if covered < window[1]:
        found.append(Hole(covered, window[1]))
    return tuple(found)


def overlaps(shifts: Sequence[Shift], starts_at: int, ends_at: int) -> bool:
    """Tell whether a shift shares an instant with that time."""
    return any(one.starts_at < ends_at and starts_at < one.ends_at for one in shifts)


def check_members(members: Sequence[Member]) -> str:
    """Return what is wrong with the members of a roster, or ""."""
    if not 0 < len(members) <= MAX_MEMBERS:
        return f"a roster has 1 to {MAX_MEMBERS} members"
    if len({one.account_id for one in members}) < len(members):
        return "somebody is named twice"
    return ""


def check_policy(policy: Sequence[PolicyStep]) -> str:
    """Return what is wrong with an escalation policy, or ""."""
    if not 0 < len(policy) <= MAX_STEPS:
        return f"a policy has 1 to {MAX_STEPS} steps"
    if any(one.to not in RECEIVERS for one in policy):
        return "a step calls primary, deputy, lead or all"
    times = [one.after for one in policy]
    if times[0] != 0 or times != sorted(set(times)) or times[-1] > MAX_AFTER:
        return "steps begin at minute 0, each later than the one before, within a day"
    return ""


def receivers(to: Receiver, roster: Roster, shift: Shift | None) -> tuple[Member, ...]:
    """Return who is called; never nobody: without a shift the leads, without leads all."""
    called: tuple[Member, ...] = ()
    if to in ("primary", "deputy") and shift is not None:
        wanted = shift.primary_id if to == "primary" else shift.deputy_id
        called = tuple(one for one in roster.members if one.account_id == wanted)
    if not called and to != "all":
        called = tuple(one for one in roster.members if one.lead)
    return called or roster.members
