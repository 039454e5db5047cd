"""Rosters, shifts, swaps and escalations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from playbooks.errors.duty import (
    EscalationUnknown,
    RosterNameTaken,
    RosterUnknown,
    ShiftUnknown,
    SwapUnknown,
)
from playbooks.models.duty import Escalation, Member, Place, PolicyStep, Roster, Shift, Swap
from playbooks.store.rows import change_one, fields_of, newest_page, to_json
from playbooks.store.tables import escalations, rosters, shifts, swaps
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

_MOST: Final = 500


class Rosters:
    """Implements ``playbooks.ports.duty.RosterStore``."""

    def add(self, tx: Transaction, roster: Roster) -> None:
        """Store a new one; raise ``RosterNameTaken``."""
        try:
            tx.execute(rosters.insert().values(**_values(roster)))
        except IntegrityError as error:
            raise RosterNameTaken from error

    def change(self, tx: Transaction, roster: Roster, version: int) -> None:
        """Store it in place of ``version``; raise ``ChangedMeanwhile`` if that is gone."""
        mine = (rosters.c.id == roster.id, rosters.c.org_id == roster.org_id)
        statement = rosters.update().where(*mine, rosters.c.version == version)
        try:
            change_one(tx, statement.values(**_values(roster)), "the roster was changed meanwhile")
        except IntegrityError as error:
            raise RosterNameTaken from error

    def get(self, tx: Transaction, org_id: str, roster_id: str) -> Roster:
        """Return it; raise ``RosterUnknown``."""
        mine = (rosters.c.id == roster_id, rosters.c.org_id == org_id)
        row = tx.execute(rosters.select().where(*mine)).first()
        if row is None:
            raise RosterUnknown
        return _roster(row)

    def all_of(self, tx: Transaction, org_id: str) -> Sequence[Roster]:
        """Return the organisation's rosters by name."""
        found = rosters.select().where(rosters.c.org_id == org_id)
        return [_roster(row) for row in tx.execute(found.order_by(rosters.c.name).limit(_MOST))]


class Shifts:
    """Implements ``playbooks.ports.duty.ShiftStore``."""

    def add(self, tx: Transaction, shift: Shift) -> None:
        """Store it."""
        tx.execute(shifts.insert().values(**asdict(shift)))

    def get(self, tx: Transaction, org_id: str, shift_id: str) -> Shift:
        """Return it; raise ``ShiftUnknown``."""
        mine = (shifts.c.id == shift_id, shifts.c.org_id == org_id)
        row = tx.execute(shifts.select().where(*mine)).first()
        if row is None:
            raise ShiftUnknown
        return Shift(**fields_of(row))

    def remove(self, tx: Transaction, shift: Shift) -> bool:
        """Remove this version of it; False if it is gone or another."""
        return int(tx.execute(shifts.delete().where(*_same(shift))).rowcount) == 1

    def hand_over(self, tx: Transaction, shift: Shift, place: Place, to_id: str) -> bool:
        """Give the place to somebody else if the shift is still this version."""
        new = {f"{place}_id": to_id, "version": shift.version + 1}
        return int(tx.execute(shifts.update().where(*_same(shift)).values(**new)).rowcount) == 1

    def between(self, tx: Transaction, roster_id: str, window: tuple[int, int]) -> Sequence[Shift]:
        """Return shifts that share an instant with ``window``, the earliest first."""
        rows = tx.execute(
            shifts.select()
            .where(
                shifts.c.roster_id == roster_id,
                shifts.c.starts_at < window[1],
                shifts.c.ends_at > window[0],
            )
            .order_by(shifts.c.starts_at, shifts.c.id)
            .limit(_MOST)
        )
        return [Shift(**fields_of(row)) for row in rows]

    def ask(self, tx: Transaction, swap: Swap) -> None:
        """Store a swap that is asked for."""
        tx.execute(swaps.insert().values(**asdict(swap)))

    def swap(self, tx: Transaction, org_id: str, swap_id: str) -> Swap:
        """Return it; raise ``SwapUnknown``."""
        row = tx.execute(
            swaps.select().where(swaps.c.id == swap_id, swaps.c.org_id == org_id)
        ).first()
        if row is None:
            raise SwapUnknown
        return Swap(**fields_of(row))

    def settle(self, tx: Transaction, swap: Swap) -> bool:
        """Store how it came out if nobody has decided before."""
        changed = tx.execute(
            swaps.update()
            .where(swaps.c.id == swap.id, swaps.c.org_id == swap.org_id, swaps.c.state == "asked")
            .values(state=swap.state, decided_at=swap.decided_at)
        )
        return int(changed.rowcount) == 1

    def asked(self, tx: Transaction, roster_id: str) -> Sequence[Swap]:
        """Return swaps that wait for somebody's consent, the oldest first."""
        found = swaps.select().where(swaps.c.roster_id == roster_id, swaps.c.state == "asked")
        rows = tx.execute(found.order_by(swaps.c.asked_at, swaps.c.id).limit(_MOST))
        return [Swap(**fields_of(row)) for row in rows]


class Escalations:
    """Implements ``playbooks.ports.duty.EscalationStore``."""

    def open(self, tx: Transaction, escalation: Escalation) -> bool:
        """Store it; False if its key is there."""
        if self.is_known(tx, escalation.key):
            return False
        tx.execute(escalations.insert().values(**asdict(escalation)))
        return True

    def is_known(self, tx: Transaction, key: str) -> bool:
        """Tell whether somebody was called with this key."""
        known = escalations.select().where(escalations.c.key == key)
        return tx.execute(known).first() is not None

    def get(self, tx: Transaction, org_id: str, escalation_id: str) -> Escalation:
        """Return it; raise ``EscalationUnknown``."""
        mine = (escalations.c.id == escalation_id, escalations.c.org_id == org_id)
        row = tx.execute(escalations.select().where(*mine)).first()
        if row is None:
            raise EscalationUnknown
        return Escalation(**fields_of(row))

    def list(self, tx: Transaction, org_id: str, page: PageRequest) -> Page[Escalation]:
        """Return the organisation's, newest first."""
        statement = escalations.select().where(escalations.c.org_id == org_id)
        columns = (escalations.c.created_at, escalations.c.id)
        return newest_page(
            tx, statement, columns, page, read=lambda row: Escalation(**fields_of(row))
        )

    def due(self, tx: Transaction, now: int, limit: int) -> Sequence[Escalation]:
        """Return open ones whose next step is due."""
        rows = tx.execute(
            escalations.select()
            .where(escalations.c.state == "open", escalations.c.next_at <= now)
            .order_by(escalations.c.next_at, escalations.c.id)
            .limit(limit)
        )
        return [Escalation(**fields_of(row)) for row in rows]

    def advance(self, tx: Transaction, escalation: Escalation, step: int) -> bool:
        """Store it if it is still open before ``step``."""
        mine = (escalations.c.id == escalation.id, escalations.c.org_id == escalation.org_id)
        changed = tx.execute(
            escalations.update()
            .where(*mine, escalations.c.state == "open", escalations.c.step == step)
            .values(step=escalation.step, next_at=escalation.next_at, state=escalation.state)
        )
        return int(changed.rowcount) == 1

    def acknowledge(self, tx: Transaction, org_id: str, escalation_id: str, who: str) -> bool:
        """Note who takes care; False if somebody did before."""
        mine = (escalations.c.id == escalation_id, escalations.c.org_id == org_id)
        changed = tx.execute(
            escalations.update()
            .where(*mine, escalations.c.state != "acknowledged")
            .values(state="acknowledged", acknowledged_by=who, acknowledged_at=tx.now)
        )
        return int(changed.rowcount) == 1


def _values(roster: Roster) -> dict[str, Any]:
    whole = asdict(roster)
    return {
        **whole,
        "members": to_json(list(whole["members"])),
        "policy": to_json(list(whole["policy"])),
    }


def _roster(row: Any) -> Roster:
    fields = fields_of(row, "members", "policy")
    members = tuple(Member(**one) for one in fields["members"])
    policy = tuple(PolicyStep(**one) for one in fields["policy"])
    return Roster(**{**fields, "members": members, "policy": policy})


def _same(shift: Shift) -> tuple[Any, ...]:
    return (
        shifts.c.id == shift.id,
        shifts.c.org_id == shift.org_id,
        shifts.c.version == shift.version,
    )
