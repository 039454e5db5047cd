"""Where rosters, shifts, swaps and escalations are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playbooks.models.duty import Escalation, Place, Roster, Shift, Swap
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class RosterStore(Protocol):
    """Rosters of organisations."""

    def add(self, tx: Transaction, roster: Roster) -> None:
        """Store a new one; raise ``RosterNameTaken``."""
        ...

    def change(self, tx: Transaction, roster: Roster, version: int) -> None:
        """Store it in place of ``version``; raise ``ChangedMeanwhile`` if that is gone."""
        ...

    def get(self, tx: Transaction, org_id: str, roster_id: str) -> Roster:
        """Return it; raise ``RosterUnknown``."""
        ...

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Roster]:
        """Return the organisation's rosters by name."""
        ...


class ShiftStore(Protocol):
    """Shifts and their swaps."""

    def add(self, tx: Transaction, shift: Shift) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, org_id: str, shift_id: str) -> Shift:
        """Return it; raise ``ShiftUnknown``."""
        ...

    def remove(self, tx: Transaction, shift: Shift) -> bool:
        """Remove this version of it; False if it is gone or another."""
        ...

    def hand_over(self, tx: Transaction, shift: Shift, place: Place, to_id: str) -> bool:
        """Give the place to somebody else if the shift is still this version."""
        ...

    def between(self, tx: Transaction, roster_id: str, window: tuple[int, int]) -> Sequence[Shift]:
        """Return shifts that share an instant with ``window``, the earliest first."""
        ...

    def ask(self, tx: Transaction, swap: Swap) -> None:
        """Store a swap that is asked for."""
        ...

    def swap(self, tx: Transaction, org_id: str, swap_id: str) -> Swap:
        """Return it; raise ``SwapUnknown``."""
        ...

    def settle(self, tx: Transaction, swap: Swap) -> bool:
        """Store how it came out if nobody has decided before."""
        ...

    def asked(self, tx: Transaction, roster_id: str) -> Sequence[Swap]:
        """Return swaps that wait for somebody's consent, the oldest first."""
        ...


class EscalationStore(Protocol):
    """What people are called for."""

    def open(self, tx: Transaction, escalation: Escalation) -> bool:
        """Store it; False if its key is there."""
        ...

    def is_known(self, tx: Transaction, key: str) -> bool:
        """Tell whether somebody was called with this key."""
        ...

    def get(self, tx: Transaction, org_id: str, escalation_id: str) -> Escalation:
        """Return it; raise ``EscalationUnknown``."""
        ...

    def list(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Escalation]:
        """Return the organisation's, newest first."""
        ...

    def due(self, tx: Transaction, now: int, limit: int) -> Sequence[Escalation]:
        """Return open ones whose next step is due."""
        ...

    def advance(self, tx: Transaction, escalation: Escalation, step: int) -> bool:
        """Store it if it is still open before ``step``."""
        ...

    def acknowledge(self, tx: Transaction, org_id: str, escalation_id: str, who: str) -> bool:
        """Note who takes care; False if somebody did before."""
        ...


@dataclass(frozen=True, slots=True)
class DutyStores:
    """What is kept of duty."""

    rosters: RosterStore
    shifts: ShiftStore
    escalations: EscalationStore
