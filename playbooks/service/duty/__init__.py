"""Duty rosters: shifts, swaps, and who is called after whom."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.service.duty.escalations import EscalationService
from playbooks.service.duty.rosters import RosterDraft, RosterService
from playbooks.service.duty.shifts import NewShift, ShiftService
from playbooks.service.surroundings import Surroundings

__all__ = ["DutyServices", "NewShift", "RosterDraft", "build_duty"]


@dataclass(frozen=True, slots=True)
class DutyServices:
    """The use cases of duty."""

    rosters: RosterService
    shifts: ShiftService
    escalations: EscalationService


def build_duty(surroundings: Surroundings) -> DutyServices:
    """Return them."""
    return DutyServices(
        rosters=RosterService(surroundings),
        shifts=ShiftService(surroundings),
        escalations=EscalationService(surroundings),
    )
