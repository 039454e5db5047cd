"""Rosters, shifts, swaps and calls as documents, and rosters as they are entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from playbooks.errors.duty import RosterInvalid
from playbooks.models.duty import DutyView, Escalation, Roster, Shift, Swap
from playbooks.service.duty.rosters import RosterDraft
from secops.kernel.clock import rfc3339_or_none, to_rfc3339

_MAX_LINES: Final = 200


def roster_document(roster: Roster) -> dict[str, Any]:
    """Return a roster with its members and policy in the words they are entered with."""
    return {
        "id": roster.id,
        "name": roster.name,
        "members": [
            {"account_id": m.account_id, "name": m.name, "channel_id": m.channel_id, "lead": m.lead}
            for m in roster.members
        ],
        "policy": [f"{step.to}+{step.after}" for step in roster.policy],
        "version": roster.version,
    }


def shift_document(shift: Shift) -> dict[str, Any]:
    """Return a shift."""
    return {
        "id": shift.id,
        "roster_id": shift.roster_id,
        "starts_at": to_rfc3339(shift.starts_at),
        "ends_at": to_rfc3339(shift.ends_at),
        "primary_id": shift.primary_id,
        "deputy_id": shift.deputy_id,
        "version": shift.version,
    }


def swap_document(swap: Swap) -> dict[str, Any]:
    """Return a swap."""
    return {
        "id": swap.id,
        "shift_id": swap.shift_id,
        "place": swap.place,
        "from_id": swap.from_id,
        "to_id": swap.to_id,
        "asked_by": swap.asked_by,
        "state": swap.state,
    }


def duty_document(view: DutyView) -> dict[str, Any]:
    """Return a roster as it stands: who is on duty, the shifts, holes and swaps asked for."""
    return {
        "roster": roster_document(view.roster),
        "now": to_rfc3339(view.now),
        "on_duty": None if view.current is None else shift_document(view.current),
        "shifts": [shift_document(one) for one in view.shifts],
        "holes": [
            {
                "starts_at": to_rfc3339(one.starts_at),
                "ends_at": to_rfc3339(one.ends_at),
                "why": one.why,
            }
            for one in view.holes
        ],
        "swaps": [swap_document(one) for one in view.swaps],
    }


def escalation_document(escalation: Escalation) -> dict[str, Any]:
    """Return what people were called for."""
    return {
        "id": escalation.id,
        "roster_id": escalation.roster_id,
        "event": escalation.event,
        "subject": escalation.subject,
        "title": escalation.title,
        "severity": escalation.severity,
        "drill": escalation.drill,
        "step": escalation.step,
        "state": escalation.state,
        "created_at": to_rfc3339(escalation.created_at),
        "acknowledged_by": escalation.acknowledged_by,
        "acknowledged_at": rfc3339_or_none(escalation.acknowledged_at),
    }


def roster_draft(
    name: str, members: Sequence[str], leads: Sequence[str], steps: Sequence[str]
) -> RosterDraft:
    """Return what was entered: members as ``ACCOUNT=CHANNEL``, steps as ``RECEIVER+MINUTES``."""
    if max(len(members), len(leads), len(steps)) > _MAX_LINES:
        raise RosterInvalid("too many lines")
    named = [_pair(one, "=", "a member is ACCOUNT=CHANNEL") for one in members]
    found = tuple((account, channel, account in leads) for account, channel in named)
    if not set(leads) <= {account for account, _ in named}:
        raise RosterInvalid("a lead is a member of the roster")
    if not steps:
        return RosterDraft(name, found)
    policy = []
    for one in steps:
        to, after = _pair(one, "+", "a step is RECEIVER+MINUTES")
        if not (after.isascii() and after.isdigit() and len(after) <= 5):  # noqa: PLR2004 - digits
            raise RosterInvalid("a step is RECEIVER+MINUTES")
        policy.append((to, int(after)))
    return RosterDraft(name, found, tuple(policy))


def _pair(text: str, separator: str, otherwise: str) -> tuple[str, str]:
    left, found, right = text.strip().partition(separator)
    if not found or not left or not right:
        raise RosterInvalid(otherwise)
    return left.strip(), right.strip()
