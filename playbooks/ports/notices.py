"""What notices need from outside: units, seals, checks, paper, and their stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from playbooks.models.early_warnings import EarlyWarning
from playbooks.models.notices import (
    Delivery,
    Notice,
    Petition,
    PrintedNotice,
    Proof,
    Recheck,
    Remark,
    SealVerdict,
    UsableSeal,
)
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class Units(Protocol):
    """The tree of organisations."""

    def names(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the names of ``ids``, without those that have none, as the root."""
        ...

    def below(self, org_id: str) -> Mapping[str, str]:
        """Return the names of ``org_id`` and of what is open below it, at most 1,000, by id."""
        ...

    def above(self, org_id: str) -> Sequence[str]:
        """Return the ids of ``org_id`` and of all above it."""
        ...


@dataclass(frozen=True, slots=True)
class SealPlace:
    """Where the seal's picture goes on the last page: millimetres from its upper left."""

    x: float
    y: float


class NoticeSeals(Protocol):
    """Our own e-seals, as far as notices use them."""

    def usable_seals(self, actor: Actor) -> Sequence[UsableSeal]:
        """Return the seals that ``actor`` holds and that are in use."""
        ...

    def seal_notice(
        self, actor: Actor, seal_id: str, document: bytes, purpose: str, place: SealPlace
    ) -> bytes:
        """Return the PDF sealed by ``actor``; raises what using a seal raises."""
        ...

    def verify_notice(self, document: bytes) -> SealVerdict:
        """Return what verification finds, now."""
        ...


class Rechecks(Protocol):
    """Runs a detector or a control again, with the rights of whoever verifies."""

    def recheck(self, actor: Actor, check: str, since: int, until: int) -> Recheck:
        """Return what ``check`` finds between the two instants; raises for an unknown one."""
        ...


@dataclass(frozen=True, slots=True)
class SetNotice:
    """A notice as PDF, and the place kept for its seal."""

    document: bytes
    place: SealPlace


class NoticePrinter(Protocol):
    """Sets notices as official documents."""

    def print_notice(self, notice: PrintedNotice) -> SetNotice:
        """Return the file; raise ``FontUnavailable`` if its texts can't be set whole."""
        ...


class Calendars(Protocol):
    """The tables of working days: the release's and the home's own."""

    def tables(self) -> Sequence[Any]:
        """Return the JSON documents, the later ones over the earlier; raise ``CalendarInvalid``."""
        ...


class NoticeStore(Protocol):
    """Keeps notices and their numbers."""

    def add(self, transaction: Transaction, notice: Notice) -> None:
        """Store a new one."""
        ...

    def get(self, transaction: Transaction, notice_id: str) -> Notice:
        """Return it, whoever issued it; raise ``NoticeNotFound``."""
        ...

    def change(self, transaction: Transaction, notice: Notice) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[Notice]:
        """Return an issuer's notices, newest first; ``state`` "" is all."""
        ...

    def next_number(self, transaction: Transaction, org_id: str, year: int) -> int:
        """Return the next number of the issuer's year; kept with the unit of work or not at all."""
        ...

    def by_origin(self, transaction: Transaction, org_id: str, origin: str) -> Notice | None:
        """Return the notice that a playbook's step drafted."""
        ...

    def unissued(self, transaction: Transaction, org_id: str) -> int:
        """Return how many drafts, reviews and approved ones an issuer has."""
        ...


class DeliveryStore(Protocol):
    """Keeps where each notice stands at each unit."""

    def add(self, transaction: Transaction, delivery: Delivery) -> None:
        """Store a new one."""
        ...

    def get(self, transaction: Transaction, notice_id: str, org_id: str) -> Delivery:
        """Return a unit's; raise ``NoticeNotFound``."""
        ...

    def change(self, transaction: Transaction, delivery: Delivery) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def of(self, transaction: Transaction, notice_id: str) -> Sequence[Delivery]:
        """Return all of a notice by unit."""
        ...

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[Delivery]:
        """Return a unit's deliveries, newest first; ``state`` "open" is all but closed."""
        ...

    def due(self, transaction: Transaction, before: int, after: str) -> Sequence[Delivery]:
        """Return open ones of all with a deadline before an instant, in batches by id."""
        ...

    def issued_between(
        self, transaction: Transaction, issuer_id: str, since: int, until: int
    ) -> Sequence[Delivery]:
        """Return an issuer's deliveries issued in [since, until), at most 10,000."""
        ...


class ProofStore(Protocol):
    """Keeps proofs and what units ask for."""

    def add(self, transaction: Transaction, proof: Proof) -> None:
        """Store a new proof."""
        ...

    def of(self, transaction: Transaction, notice_id: str, org_id: str) -> Sequence[Proof]:
        """Return a unit's proofs, oldest first."""
        ...

    def ask(self, transaction: Transaction, petition: Petition) -> None:
        """Store a petition; raise ``NoticeStateRefused`` where one of its kind is pending."""
        ...

    def decide(self, transaction: Transaction, petition: Petition) -> None:
        """Store the decision of a pending one; raise ``ChangedMeanwhile`` if it is none."""
        ...

    def petitions(self, transaction: Transaction, notice_id: str) -> Sequence[Petition]:
        """Return all of a notice, oldest first."""
        ...


class RemarkStore(Protocol):
    """Keeps the history of notices."""

    def append(self, transaction: Transaction, remark: Remark) -> None:
        """Add the next line; ``remark.seq`` is given here."""
        ...

    def of(self, transaction: Transaction, notice_id: str, unit_id: str = "") -> Sequence[Remark]:
        """Return a notice's history, oldest first: the last 2,000 lines, of one unit or all."""
        ...


class WarningStore(Protocol):
    """Keeps early warnings."""

    def add(self, transaction: Transaction, warning: EarlyWarning) -> None:
        """Store a new one."""
        ...

    def get(self, transaction: Transaction, org_id: str, warning_id: str) -> EarlyWarning:
        """Return it; raise ``WarningNotFound``."""
        ...

    def change(self, transaction: Transaction, warning: EarlyWarning) -> None:
        """Store it if version - 1 is stored; raise ``ChangedMeanwhile`` otherwise."""
        ...

    def list(
        self, transaction: Transaction, org_id: str, state: str, page: PageRequest
    ) -> Page[EarlyWarning]:
        """Return an organisation's own, newest first."""
        ...

    def unfinished(self, transaction: Transaction, org_id: str) -> int:
        """Return how many an organisation has that were not issued yet or are in force."""
        ...

    def in_force(
        self, transaction: Transaction, org_ids: Sequence[str], now: int
    ) -> Sequence[EarlyWarning]:
        """Return what these organisations warn of now, at most 100, the newest first."""
        ...


@dataclass(frozen=True, slots=True)
class NoticePorts:
    """What other planes provide for notices; the bridges fill it."""

    units: Units
    seals: NoticeSeals
    rechecks: Rechecks


@dataclass(frozen=True, slots=True)
class NoticeTools:
    """What the plane itself brings for notices."""

    notices: NoticeStore
    deliveries: DeliveryStore
    proofs: ProofStore
    remarks: RemarkStore
    warnings: WarningStore
    printer: NoticePrinter
    calendars: Calendars
