"""What self-assessment needs from outside: state to look at, storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from audits.models.assessments import (
    AssessmentSummary,
    ControlChange,
    ControlState,
    PersonAnswer,
    PersonEntry,
    Schedule,
)
from audits.models.evidence import Snapshot
from audits.models.systems import Scope
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction

EvidenceSource = Callable[[Actor, Scope, int], Sequence[Snapshot]]
"""Looks at what is real about the objects in scope at an instant (UTC microseconds).

What can't be read is left out of the facts, never guessed; what the scope does not cover is
left out of the snapshots. Each family that has evidence gives one source.
"""

AnnexRows = Callable[[Actor, Scope, int], Sequence[Mapping[str, Any]]]
"""Rows that another register gives to a report on what is in scope, at an instant.

Plain JSON objects with an ``id``; a task or waiver of an item names it as ``item``. An item's
waiver is one that is in force.
"""


def no_rows(actor: Actor, scope: Scope, at: int) -> Sequence[Mapping[str, Any]]:  # noqa: ARG001 - the port's
    """Return nothing: where there is no such register."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexSources:
    """Where the annexes of a report come from."""

    tasks: AnnexRows = no_rows
    waivers: AnnexRows = no_rows
    risks: AnnexRows = no_rows
    records: AnnexRows = no_rows


class Assessments(Protocol):
    """Keeps assessments and entries."""

    def add_entry(self, tx: Transaction, entry: PersonEntry) -> None:
        """Store what a person entered."""
        ...

    def entries(
        self, tx: Transaction, org_id: str, system_id: str, now: int
    ) -> Sequence[PersonEntry]:
        """Return the entries for a system that have not expired, oldest first."""
        ...

    def add_answer(self, tx: Transaction, answer: PersonAnswer) -> None:
        """Store what a person answered."""
        ...

    def answers(
        self, tx: Transaction, org_id: str, of: tuple[str, str], now: int
    ) -> Sequence[PersonAnswer]:
        """Return the answers on (system, standard) that have not expired, oldest first."""
        ...

    def answer_page(
        self, tx: Transaction, org_id: str, of: tuple[str, str], page: PageRequest
    ) -> Page[PersonAnswer]:
        """Return the answers on (system, standard), expired ones too, newest first."""
        ...

    def add(self, tx: Transaction, summary: AssessmentSummary, document: bytes) -> None:
        """Store an assessment as made."""
        ...

    def document(self, tx: Transaction, org_id: str, assessment_id: str) -> bytes:
        """Return the document of an assessment; raise ``NotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[AssessmentSummary]:
        """Return assessments, newest first."""
        ...

    def past(
        self, tx: Transaction, org_id: str, of: tuple[str, str, int], limit: int
    ) -> Sequence[AssessmentSummary]:
        """Return the last assessments of (system, standard, level), newest first."""
        ...


class Controls(Protocol):
    """Keeps how each item stood, and its history."""

    def states(
        self, tx: Transaction, org_id: str, of: tuple[str, str, int]
    ) -> Sequence[ControlState]:
        """Return how the items of (system, standard, level) stood."""
        ...

    def gaps(self, tx: Transaction, org_id: str) -> Sequence[ControlState]:
        """Return the items of an organisation that stand worse than they did."""
        ...

    def watched(self, tx: Transaction) -> Sequence[tuple[str, str, str, int]]:
        """Return (organisation, system, standard, level) of all that was ever looked at."""
        ...

    def put(self, tx: Transaction, states: Sequence[ControlState]) -> None:
        """Store how items of one (organisation, system, standard, level) stand now."""
        ...

    def add_changes(self, tx: Transaction, changes: Sequence[ControlChange]) -> None:
        """Add to the items' histories."""
        ...

    def history(
        self, tx: Transaction, org_id: str, of: tuple[str, str, str], page: PageRequest
    ) -> Page[ControlChange]:
        """Return the changes of (system, standard, item), newest first."""
        ...


class Schedules(Protocol):
    """Keeps which assessments are made again."""

    def add(self, tx: Transaction, schedule: Schedule) -> None:
        """Store a schedule; raise ``ChangedMeanwhile`` if there is one for the same."""
        ...

    def count(self, tx: Transaction, org_id: str) -> int:
        """Return how many schedules an organisation has."""
        ...

    def get(self, tx: Transaction, org_id: str, schedule_id: str) -> Schedule:
        """Return a schedule; raise ``NotFound``."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Schedule]:
        """Return an organisation's schedules, newest first."""
        ...

    def change(self, tx: Transaction, schedule: Schedule) -> Schedule:
        """Store what was changed; raise ``ChangedMeanwhile`` if it is not as it was read."""
        ...

    def remove(self, tx: Transaction, schedule: Schedule) -> None:
        """Drop a schedule as it was read; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def due(self, tx: Transaction, now: int) -> Schedule | None:
        """Return the schedule that has been due for longest, of any organisation."""
        ...


class RolesNow(Protocol):
    """What somebody may do by now, for work that goes on when they are gone; iam fills it."""

    def roles_now(self, account_id: str) -> frozenset[str] | None:
        """Return the roles of an account as they are now; None where it may not act."""
        ...


class NoRoles:
    """Where nobody is known, nobody may have work done later."""

    def roles_now(self, account_id: str) -> frozenset[str] | None:  # noqa: ARG002 - the port's
        """Return None."""
        return None
