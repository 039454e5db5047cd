"""Accounts: created without any power, locked, unlocked, listed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from iam.core.base64url import encode
from iam.core.names import check_name, document_text, folded_name
from iam.errors import EnrolmentRefused, InvalidRequest
from iam.models.accounts import (
    Account,
    AccountQuery,
    CivilService,
    Enrolment,
    IdentityDocument,
    IssuedEnrolment,
    NewAccount,
    Person,
)
from iam.models.real_name import SELF_DECLARED
from iam.service.means import Means
from iam.service.persons import refuse_own
from iam.service.protection.account_locks import lock_account
from iam.service.protection.locks import refuse_locked
from iam.service.reach import reached_account, reaches, require_reach
from iam.service.sign_on.sessions import find_account
from secops.kernel.actors import Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_LOCK,
    ACCOUNT_READ,
    ACCOUNT_UNLOCK,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

MAX_SERVICE_LIFE: Final = 731 * DAY


def person_key(means: Means, document: IdentityDocument) -> bytes:
    """Return the keyed hash a person is known by; a plain hash could be enumerated."""
    return means.keys.mac("person", document_text(document, means.today))


def make_person(
    means: Means, org_id: str, full_name: str, document: IdentityDocument | None
) -> Person:
    """Return a new person: proved by ``document``, or standing for one account alone."""
    person_id = means.parts.ids.new("per")
    key = (
        person_key(means, document)
        if document is not None
        else means.keys.mac("person", f"unproved|{person_id}".encode())
    )
    return Person(
        id=person_id,
        org_id=org_id,
        key=key,
        proved=document is not None,
        sealed_name=means.box.seal(full_name.encode(), key),
        real_name_level=SELF_DECLARED if document is not None else 1,
        created_at=means.now,
    )


def issue_enrolment(means: Means, account: Account) -> tuple[Enrolment, IssuedEnrolment]:
    """Return a new enrolment as stored and as handed out."""
    token = encode(means.random(32))
    expires_at = means.now + means.options.lifetimes.enrolment
    digest = hashlib.sha256(token.encode()).digest()
    stored = Enrolment(digest, account.org_id, account.id, expires_at)
    return stored, IssuedEnrolment(account.id, account.name, token, expires_at)


def enrolment_digest(token: str) -> bytes:
    """Return what an enrolment token is stored as; raise ``EnrolmentRefused`` for a long one."""
    if len(token) > 128:  # noqa: PLR2004 - ours have 43 characters
        raise EnrolmentRefused
    return hashlib.sha256(token.encode()).digest()


def check_service_account(means: Means, tx: Transaction, actor: Actor, new: NewAccount) -> None:
    """Raise ``InvalidRequest`` unless a service account has an owner, a review and an end.

    Other accounts have none of them. Raises ``NotFound`` for an owner out of reach.
    """
    given = (new.owner_id, new.review_at, new.expires_at)
    if new.kind != "service":
        if given != (None, None, None):
            msg = "owner, review and end belong to service accounts"
            raise InvalidRequest(msg)
        return
    if new.owner_id is None or new.review_at is None or new.expires_at is None:
        msg = "a service account has an owner, a day of review and an end"
        raise InvalidRequest(msg)
    check_service_dates(means.now, new.review_at, new.expires_at)
    owner = reached_account(means, tx, actor, new.owner_id)
    if owner.kind == "service" or owner.state not in ("active", "pending"):
        msg = "the owner is a person whose account is open"
        raise InvalidRequest(msg)


def check_service_dates(now: int, review_at: int, expires_at: int) -> None:
    """Raise ``InvalidRequest`` unless now < review ≤ end ≤ now + 2 years."""
    if not now < review_at <= expires_at <= now + MAX_SERVICE_LIFE:
        msg = "the review comes before the end, and the end within two years"
        raise InvalidRequest(msg)


def _folded(query: AccountQuery) -> AccountQuery:
    return replace(query, text=folded_name(query.text))


@dataclass(frozen=True, slots=True)
class PreparedAccount:
    """A new account, its person and its enrolment, not stored yet."""

    new: NewAccount
    account: Account
    name_key: str
    person: Person
    enrolment: Enrolment
    issued: IssuedEnrolment = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountService:
    """What can be done with accounts."""

    means: Means

    def create_account(self, actor: Actor, new: NewAccount) -> tuple[Account, IssuedEnrolment]:
        """Create an account that holds no role, and the enrolment for its first factors."""
        self.means.parts.access.require(actor, ACCOUNT_CREATE, "account:*")
        org_id = new.organisation_id or actor.org_id

        def check(tx: Transaction) -> None:
            require_reach(self.means, tx, actor, org_id, "organisation")
            check_service_account(self.means, tx, actor, new)

        self.means.parts.transactions.read(check)
        return self.make(actor, new, org_id)

    def names_of(self, actor: Actor, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of accounts within reach, by id; others are left out."""

        def work(tx: Transaction) -> dict[str, str]:
            found = {}
            for account_id in set(ids):
                account = self.means.stores.accounts.get(tx, account_id)
                if reaches(self.means, tx, actor, account.org_id):
                    found[account_id] = account.name
            return found

        return self.means.parts.transactions.read(work)

    def make(self, actor: Actor, new: NewAccount, org_id: str) -> tuple[Account, IssuedEnrolment]:
        """Create an account; the caller has checked who may (bootstrap and demo homes)."""
        prepared = self.prepare(new, org_id)
        return self.means.parts.transactions.run(lambda tx: self.store(tx, actor, prepared))

    def prepare(self, new: NewAccount, org_id: str) -> PreparedAccount:
        """Return a new account with everything slow done before a unit of work begins."""
        name_key = check_name(new.name)
        person = make_person(self.means, org_id, new.full_name, new.document)
        account = Account(
            id=self.means.parts.ids.new("acc"),
            org_id=org_id,
            name=new.name.strip(),
            kind=new.kind,
            person_id=person.id,
            state="pending",
            created_at=self.means.now,
            owner_id=new.owner_id,
            review_at=new.review_at,
            expires_at=new.expires_at,
        )
        stored, issued = issue_enrolment(self.means, account)
        return PreparedAccount(new, account, name_key, person, stored, issued)

    def store(
        self, tx: Transaction, actor: Actor, prepared: PreparedAccount
    ) -> tuple[Account, IssuedEnrolment]:
        """Store a prepared account and record it; raise ``NameTaken``."""
        stores, new, account = self.means.stores, prepared.new, prepared.account
        person_id = stores.persons.add_person(tx, prepared.person)
        owner = account.owner_id
        if owner is not None:
            owner = find_account(self.means, tx, owner).id
        created = replace(account, person_id=person_id, owner_id=owner)
        stores.accounts.add(tx, created, prepared.name_key)
        if new.organisation:
            service = CivilService(
                person_id=person_id,
                org_id=account.org_id,
                organisation=new.organisation,
                post=new.post,
                organisation_id=account.org_id,
                started_at=tx.now,
            )
            stores.persons.add_civil_service(tx, service)
        stores.enrolments.add(tx, prepared.enrolment)
        details = {"kind": account.kind, "proved": prepared.person.proved}
        tx.record(Act("iam.create_account", actor, f"account:{account.id}", details=details))
        return created, prepared.issued

    def list_accounts(
        self, actor: Actor, request: PageRequest, query: AccountQuery | None = None
    ) -> tuple[Page[Account], dict[str, frozenset[str]]]:
        """Return accounts within the actor's reach, and the roles of each by id."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        stores, asked = self.means.stores, _folded(query or AccountQuery())

        def work(tx: Transaction) -> tuple[Page[Account], dict[str, frozenset[str]]]:
            page = stores.accounts.page(tx, actor.org_id, request, asked)
            return page, dict(stores.roles.of_subjects(tx, [each.id for each in page.items]))

        return self.means.parts.transactions.read(work)

    def get_account(self, actor: Actor, account: str) -> Account:
        """Return an account by name or id; raise ``NotFound``."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: reached_account(self.means, tx, actor, account))

    def count_accounts(
        self, actor: Actor, query: AccountQuery | None = None
    ) -> Mapping[str, Mapping[str, int]]:
        """Return how many accounts there are within reach by ``state`` and by ``kind``."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        asked = _folded(query or AccountQuery())
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.accounts.facets(tx, actor.org_id, asked))

    def lock_account(self, actor: Actor, account: str, reason: str) -> Account:
        """Lock an account and end its sessions; effective within a second everywhere."""
        self.means.parts.access.require(actor, ACCOUNT_LOCK, "account:*")
        read = self.means.parts.transactions.read
        found = read(lambda tx: reached_account(self.means, tx, actor, account))
        lock_account(self.means, actor, found.id, {"reason": reason})
        return found

    def unlock_account(self, actor: Actor, account: str, reason: str) -> Account:
        """Let an account sign in again; its ended sessions stay ended."""
        self.means.parts.access.require(actor, ACCOUNT_UNLOCK, "account:*")

        def work(tx: Transaction) -> Account:
            found = reached_account(self.means, tx, actor, account)
            refuse_own(self.means, tx, actor, found.id)
            refuse_locked(self.means, tx, found.id)
            revoked = self.means.parts.revocations.is_revoked("account", found.id)
            if found.state not in ("locked", "active") or not (revoked or found.state == "locked"):
                msg = "the account is not locked"
                raise Conflict(msg)
            self.means.stores.accounts.set_state(tx, found.id, "active")
            self.means.parts.revocations.restore(tx, "account", found.id)
            tx.record(
                Act(
                    "iam.unlock_account",
                    actor,
                    f"account:{found.id}",
                    details={"reason": reason[:500]},
                )
            )
            return found

        return self.means.parts.transactions.run(work)
