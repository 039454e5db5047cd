"""Stores of policy versions, recorded decisions, locks and devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from iam.models.zero_trust import (
    Device,
    Lock,
    LockKind,
    PolicyVersion,
    Posture,
    RecordedDecision,
    Surroundings,
    VersionState,
)
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class PolicyStore(Protocol):
    """Versions of an organisation's own policies."""

    def add(self, tx: Transaction, version: PolicyVersion) -> None:
        """Store a new version."""
        ...

    def next_number(self, tx: Transaction, org_id: str) -> int:
        """Return the number of the organisation's next version."""
        ...

    def get(self, tx: Transaction, version_id: str) -> PolicyVersion | None:
        """Return it."""
        ...

    def active(self, tx: Transaction, org_id: str) -> PolicyVersion | None:
        """Return the version in force, None while there are no own policies."""
        ...

    def active_id(self, tx: Transaction, org_id: str) -> str:
        """Return the id of the version in force, empty while there is none."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[PolicyVersion]:
        """Return versions, newest first."""
        ...

    def edit(self, tx: Transaction, version: PolicyVersion) -> bool:
        """Replace a draft's title and texts; False if it is no draft any more."""
        ...

    def move(
        self,
        tx: Transaction,
        version_id: str,
        step: tuple[VersionState, VersionState],
        **values: Any,
    ) -> bool:
        """Take it from one state to the next; False if it was not in the first."""
        ...


class DecisionStore(Protocol):
    """Recorded decisions; what was asked alike on a day is one row."""

    def add(self, tx: Transaction, rows: Sequence[RecordedDecision]) -> None:
        """Add up with what is there of the same day and question."""
        ...

    def begin_fold(self, tx: Transaction, book: str, page: int) -> bool:
        """Note that ``page`` of ``book`` comes in with this transaction; False if it has."""
        ...

    def end_book(self, tx: Transaction, book: str) -> None:
        """Forget a book that is no more."""
        ...

    def recent(self, tx: Transaction, limit: int) -> Sequence[RecordedDecision]:
        """Return at most ``limit`` questions, the latest first."""
        ...

    def totals(self, tx: Transaction) -> tuple[int, int, int]:
        """Return how many questions, decisions and refusals are kept."""
        ...

    def purge(self, tx: Transaction, before_day: int, keep: int) -> int:
        """Remove what is older than ``before_day`` and all but the ``keep`` latest."""
        ...


class LockStore(Protocol):
    """Locks of subjects."""

    def add(self, tx: Transaction, lock: Lock) -> None:
        """Store it."""
        ...

    def get(self, tx: Transaction, lock_id: str = "", *, order_key: str = "") -> Lock | None:
        """Return it by its id, or by the playbook's order that set it; lifted or not."""
        ...

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, *, lifted: bool
    ) -> Page[Lock]:
        """Return locks, newest first: those in force, or all."""
        ...

    def holding(self, tx: Transaction, kind: LockKind, subject: str) -> Sequence[Lock]:
        """Return the locks in force on a subject."""
        ...

    def note(self, tx: Transaction, lock: Lock) -> bool:
        """Keep what it says of its request and of what ended with it; False if it is lifted."""
        ...

    def lift(self, tx: Transaction, lock_id: str, by: str) -> bool:
        """End it; False if it had ended."""
        ...

    def due(self, tx: Transaction, limit: int) -> Sequence[Lock]:
        """Return locks whose time is over, at most ``limit``."""
        ...

    def accounts_behind(self, tx: Transaction, kind: LockKind, subject: str) -> Sequence[str]:
        """Return the accounts that a lock of this kind hits, by id."""
        ...

    def sessions_from(self, tx: Transaction, address: str) -> Sequence[str]:
        """Return the living sessions that were opened from ``address``, by id."""
        ...

    def holders(self, tx: Transaction, role: str) -> Sequence[tuple[str, str, str]]:
        """Return active accounts with ``role``: account, person and organisation."""
        ...


class DeviceStore(Protocol):
    """Registered devices and the sessions they proved themselves in."""

    def add(self, tx: Transaction, device: Device) -> None:
        """Store a device with its first report; raise ``DeviceKnown``."""
        ...

    def get(self, tx: Transaction, device_id: str) -> Device | None:
        """Return it."""
        ...

    def of_key(self, tx: Transaction, thumbprint: str) -> Device | None:
        """Return the active device with this key."""
        ...

    def of_account(self, tx: Transaction, account_id: str) -> Sequence[Device]:
        """Return the account's devices, newest first."""
        ...

    def page(self, tx: Transaction, org_id: str, request: PageRequest) -> Page[Device]:
        """Return devices by id."""
        ...

    def report(self, tx: Transaction, device_id: str, posture: Posture) -> bool:
        """Store a report that is newer than the last; False for a repeat or an older one."""
        ...

    def revoke(self, tx: Transaction, device_id: str) -> bool:
        """End it; False if it had ended."""
        ...

    def bind_session(self, tx: Transaction, session_id: str, device_id: str) -> None:
        """Remember that the device proved itself in this session; the last one counts."""
        ...

    def sessions_of(self, tx: Transaction, device_id: str) -> Sequence[str]:
        """Return the living sessions that the device proved itself in, by id."""
        ...


class SurroundingsStore(Protocol):
    """What is known of a caller beyond the token or cookie."""

    def of_session(self, tx: Transaction, session_id: str) -> Surroundings | None:
        """Return what is known of whoever holds the session."""
        ...

    def of_account(self, tx: Transaction, account_id: str) -> Surroundings | None:
        """Return what is known of an account without a session."""
        ...


class DemandStore(Protocol):
    """What applications demand of the people who open them."""

    def of_application(self, tx: Transaction, application: str) -> str | None:
        """Return the real-name level it demands, None where it is not registered."""
        ...
