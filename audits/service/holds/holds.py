"""Placing and lifting legal holds.

A hold keeps whole days of logs, of all organisations: segments and indices are dropped by the
day. One person places it, another lifts it; between the two nothing of those days is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from audits.errors import TooManyKept
from audits.errors.holds import HoldInvalid, HoldLifted, HoldNotFound
from audits.models.holds import LegalHold
from audits.ports.holds import LegalHolds
from audits.service.refusals import refusals_recorded
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY, from_rfc3339
from secops.kernel.errors import Forbidden
from secops.kernel.pages import Page, PageRequest
from secops.kernel.parts import Parts
from secops.kernel.permissions.audits import LIFT_HOLD, PLACE_HOLD, READ_HOLDS
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_HOLDS: Final = 500
_MAX_TEXT: Final = 1_000
_MAX_DAYS: Final = 36_600


@dataclass(frozen=True, slots=True)
class NewHold:
    """What is wanted: the first and the last day in Beijing (``2026-10-01``), matter, reason."""

    first_day: str
    last_day: str
    matter: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldService:
    """Legal holds of this installation; only its root organisation places them."""

    parts: Parts
    store: LegalHolds

    def place_legal_hold(self, actor: Actor, wanted: NewHold) -> LegalHold:
        """Keep the days from now on; raise ``HoldInvalid``, or ``TooManyKept``."""
        self.parts.access.require(actor, PLACE_HOLD, "hold:*")
        _require_root(actor)
        hold = LegalHold(
            id=self.parts.ids.new("hold"),
            org_id=actor.org_id,
            matter=_text(wanted.matter, "matter"),
            reason=_text(wanted.reason, "reason"),
            since=_midnight(wanted.first_day),
            until=_midnight(wanted.last_day) + DAY,
            placed_by=actor.id,
            placed_at=self.parts.clock.now(),
        )
        if not 0 < hold.until - hold.since <= _MAX_DAYS * DAY:
            raise HoldInvalid("the last day is before the first, or centuries after it")

        def work(tx: Transaction) -> None:
            if len(self.store.in_force(tx)) >= MAX_HOLDS:
                raise TooManyKept(f"{MAX_HOLDS} legal holds are in force")
            self.store.add(tx, hold)
            tx.record(Act("audits.place_legal_hold", actor, f"hold:{hold.id}", details=_told(hold)))

        self.parts.transactions.run(work)
        return hold

    def lift_legal_hold(self, actor: Actor, hold_id: str, reason: str) -> LegalHold:
        """End a hold that another person placed.

        Raises ``HoldNotFound``, ``HoldLifted``, or ``Forbidden`` for whoever placed it.
        """
        self.parts.access.require(actor, LIFT_HOLD, f"hold:{hold_id[:64]}")
        _require_root(actor)
        why = _text(reason, "reason")

        def work(tx: Transaction) -> LegalHold:
            hold = self.store.find(tx, hold_id)
            if hold is None:
                raise HoldNotFound(f"no legal hold {hold_id[:64]!r}")
            self.parts.approvals.require_another(tx, actor, (hold.placed_by,))
            lifted = replace(hold, lifted_by=actor.id, lifted_at=tx.now, lift_reason=why)
            if not self.store.lift(tx, lifted):
                raise HoldLifted(f"{hold_id} was lifted already")
            details = {**_told(hold), "lift_reason": why}
            tx.record(Act("audits.lift_legal_hold", actor, f"hold:{hold.id}", details=details))
            return lifted

        target = f"hold:{hold_id[:64]}"
        with refusals_recorded(self.parts, "audits.lift_legal_hold", actor, target):
            return self.parts.transactions.run(work)

    def list_legal_holds(self, actor: Actor, page: PageRequest) -> Page[LegalHold]:
        """Return holds, newest first, lifted ones too; none to suborganisations."""
        self.parts.access.require(actor, READ_HOLDS, "hold:*")
        if actor.org_id != ROOT_ORG:
            return Page((), None)
        return self.parts.transactions.read(lambda tx: self.store.page(tx, page))

    def held_windows(self) -> Sequence[tuple[int, int]]:
        """Return the windows in force, for retention; raise ``Unavailable``, never guess."""
        holds = self.parts.transactions.read(self.store.in_force)
        return [(hold.since, hold.until) for hold in holds]


def _require_root(actor: Actor) -> None:
    if actor.org_id != ROOT_ORG:
        raise Forbidden("legal holds keep all organisations' logs: the root organisation's matter")


def _midnight(day: str) -> int:
    try:
        return from_rfc3339(f"{day}T00:00:00+08:00")
    except ValueError as error:
        raise HoldInvalid(f"{day[:20]!r} is no day like 2026-10-01") from error


def _text(value: str, what: str) -> str:
    text = value.strip()
    if not 0 < len(text) <= _MAX_TEXT:
        raise HoldInvalid(f"a {what} of at most {_MAX_TEXT} characters is needed")
    return text


def _told(hold: LegalHold) -> dict[str, str | int]:
    return {
        "matter": hold.matter,
        "reason": hold.reason,
        "since": hold.since,
        "until": hold.until,
    }
