"""Stores of accounts, persons, roles and what they prove themselves with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from iam.models.accounts import (
    Account,
    AccountQuery,
    AccountState,
    CivilService,
    Enrolment,
    Person,
    RoleGrant,
)
from iam.models.credentials import PasswordCredential, TotpCredential
from secops.kernel.pages import Page, PageRequest
from secops.kernel.transactions import Transaction


class AccountStore(Protocol):
    """Accounts; ``name_key`` is the folded name."""

    def add(self, tx: Transaction, account: Account, name_key: str) -> None:
        """Store a new account; raise ``NameTaken``."""
        ...

    def get(self, tx: Transaction, account_id: str) -> Account:
        """Return it; raise ``NotFound``."""
        ...

    def by_name(self, tx: Transaction, name_key: str) -> Account | None:
        """Return the account of this name."""
        ...

    def page(
        self, tx: Transaction, org_id: str, request: PageRequest, query: AccountQuery
    ) -> Page[Account]:
        """Return accounts of the organisation and those below it."""
        ...

    def facets(
        self, tx: Transaction, org_id: str, query: AccountQuery
    ) -> Mapping[str, Mapping[str, int]]:
        """Return how many there are by ``state`` and by ``kind``, as far as ``query`` narrows."""
        ...

    def move(self, tx: Transaction, account_id: str, org_id: str) -> None:
        """Put the account, its grants and sessions into another organisation."""
        ...

    def set_service(
        self, tx: Transaction, account_id: str, owner_id: str | None, dates: tuple[int, int]
    ) -> None:
        """Set owner and (review, end) of a service account."""
        ...

    def set_state(self, tx: Transaction, account_id: str, state: AccountState) -> None:
        """Change the state."""
        ...

    def signed_in(self, tx: Transaction, account_id: str, at: int) -> None:
        """Remember the last sign-in."""
        ...

    def facts(self, tx: Transaction, org_id: str, stale_before: int) -> Mapping[str, int]:
        """Return counts: accounts, active, pending, locked, stale, shared_persons."""
        ...


class PersonStore(Protocol):
    """Natural persons and where they serve."""

    def add_person(self, tx: Transaction, person: Person) -> str:
        """Store a person, or find the one with the same key; return the id."""
        ...

    def get_person(self, tx: Transaction, person_id: str) -> Person:
        """Return the person; raise ``NotFound``."""
        ...

    def prove_person(self, tx: Transaction, account_id: str, person: Person) -> None:
        """Put ``person`` behind the account and its grants; raise ``RoleConflict``."""
        ...

    def known_keys(self, tx: Transaction, keys: Sequence[bytes]) -> frozenset[bytes]:
        """Return which of ``keys`` belong to persons that are known."""
        ...

    def add_civil_service(self, tx: Transaction, service: CivilService) -> None:
        """Store where a civil servant serves."""
        ...

    def services_of(self, tx: Transaction, person_id: str) -> Sequence[CivilService]:
        """Return where a person serves or served, newest first."""
        ...


class RoleStore(Protocol):
    """Who holds which role."""

    def add(self, tx: Transaction, grant: RoleGrant) -> None:
        """Store a grant; raise ``RoleConflict`` where a constraint forbids it."""
        ...

    def remove(self, tx: Transaction, subject_id: str, role: str) -> bool:
        """Remove a grant; False if there was none."""
        ...

    def of_subject(self, tx: Transaction, subject_id: str) -> frozenset[str]:
        """Return the subject's roles."""
        ...

    def of_person(self, tx: Transaction, person_key: bytes) -> frozenset[str]:
        """Return what the person holds over all their accounts."""
        ...

    def of_subjects(
        self, tx: Transaction, subject_ids: Sequence[str]
    ) -> Mapping[str, frozenset[str]]:
        """Return the roles of each of ``subject_ids``."""
        ...

    def holders(self, tx: Transaction, role: str) -> int:
        """Return how many open accounts of the uppermost organisation hold ``role`` for good."""
        ...

    def lent(self, tx: Transaction, subject_id: str) -> Mapping[str, int]:
        """Return the roles that were lent to the subject, and when each ends."""
        ...

    def lapsed(self, tx: Transaction, limit: int) -> Sequence[RoleGrant]:
        """Return grants whose time is over and that still stand in the table."""
        ...

    def by_subject(self, tx: Transaction, org_id: str) -> Mapping[str, frozenset[str]]:
        """Return the roles of every subject of the organisation."""
        ...

    def facts(self, tx: Transaction, org_id: str) -> Mapping[str, int]:
        """Return counts: one per role, ``conflicts`` and ``unproved``."""
        ...


class CredentialStore(Protocol):
    """Passwords, TOTP secrets, recovery codes and enrolments."""

    def set_password(self, tx: Transaction, credential: PasswordCredential, keep: int) -> None:
        """Make it the password; the last ``keep`` ones stay as history."""
        ...

    def passwords(self, tx: Transaction, account_id: str) -> Sequence[PasswordCredential]:
        """Return the password and its history, newest first."""
        ...

    def rehash(self, tx: Transaction, credential: PasswordCredential) -> None:
        """Replace the newest password's hash, its age unchanged."""
        ...

    def set_totp(self, tx: Transaction, credential: TotpCredential) -> None:
        """Make it the TOTP secret."""
        ...

    def totp(self, tx: Transaction, account_id: str) -> TotpCredential | None:
        """Return the TOTP secret."""
        ...

    def use_step(self, tx: Transaction, account_id: str, step: int) -> bool:
        """Consume a TOTP step: True once, False for it and every older one after that."""
        ...

    def set_recovery_codes(
        self, tx: Transaction, account_id: str, digests: Sequence[bytes]
    ) -> None:
        """Replace the recovery codes."""
        ...

    def use_recovery_code(self, tx: Transaction, account_id: str, digest: bytes) -> bool:
        """Consume a recovery code: True once."""
        ...

    def clear(self, tx: Transaction, account_id: str) -> None:
        """Forget every factor of the account."""
        ...

    def facts(
        self, tx: Transaction, org_id: str, *, set_before: int, now: int
    ) -> Mapping[str, int]:
        """Return counts: with_two_factors, administrators…, passwords_expired."""
        ...


class EnrolmentStore(Protocol):
    """Enrolments, each usable once."""

    def add(self, tx: Transaction, enrolment: Enrolment) -> None:
        """Store it; earlier ones of the same account end."""
        ...

    def find(self, tx: Transaction, digest: bytes) -> Enrolment | None:
        """Return it if it can still be used."""
        ...

    def use(self, tx: Transaction, digest: bytes) -> bool:
        """Consume it: True once."""
        ...
