"""Accounts: created without any power, locked, unlocked, listed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from iam.core.base64url import encode
from iam.core.names import check_name, document_text
from iam.errors import EnrolmentRefused
from iam.models.accounts import (
    Account,
    CivilService,
    Enrolment,
    IdentityDocument,
    IssuedEnrolment,
    NewAccount,
    Person,
)
from iam.service.means import Means
from iam.service.sign_on.sessions import end_within, find_account, refuse_own, same_organisation
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import (
    ACCOUNT_CREATE,
    ACCOUNT_LOCK,
    ACCOUNT_READ,
    ACCOUNT_UNLOCK,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

PROVED_LEVEL: Final = 2
"""Real-name level 2: self-declared, its form checked (Guangdong's scheme)."""


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
        real_name_level=PROVED_LEVEL if document is not None else 1,
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


@dataclass(frozen=True, slots=True)
class AccountService:
    """What can be done with accounts."""

    means: Means

    def create_account(self, actor: Actor, new: NewAccount) -> tuple[Account, IssuedEnrolment]:
        """Create an account that holds no role, and the enrolment for its first factors."""
        self.means.parts.access.require(actor, ACCOUNT_CREATE, "account:*")
        return self.make(actor, new, actor.org_id)

    def make(self, actor: Actor, new: NewAccount, org_id: str) -> tuple[Account, IssuedEnrolment]:
        """Create an account; the caller has checked who may (bootstrap and demo homes)."""
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
        )
        stored, issued = issue_enrolment(self.means, account)
        stores = self.means.stores

        def work(tx: Transaction) -> Account:
            person_id = stores.persons.add_person(tx, person)
            created = Account(
                id=account.id,
                org_id=account.org_id,
                name=account.name,
                kind=account.kind,
                person_id=person_id,
                state=account.state,
                created_at=account.created_at,
            )
            stores.accounts.add(tx, created, name_key)
            if new.organisation:
                stores.persons.add_civil_service(
                    tx, CivilService(person_id, org_id, new.organisation, new.post)
                )
            stores.enrolments.add(tx, stored)
            tx.record(
                Act(
                    "iam.create_account",
                    actor,
                    f"account:{account.id}",
                    details={"kind": account.kind, "proved": person.proved},
                )
            )
            return created

        return self.means.parts.transactions.run(work), issued

    def list_accounts(
        self, actor: Actor, request: PageRequest
    ) -> tuple[Page[Account], dict[str, frozenset[str]]]:
        """Return accounts of the organisation, and the roles of each by id."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        stores = self.means.stores

        def work(tx: Transaction) -> tuple[Page[Account], dict[str, frozenset[str]]]:
            page = stores.accounts.page(tx, actor.org_id, request)
            held = stores.roles.by_subject(tx, actor.org_id)
            return page, {a.id: held.get(a.id, frozenset()) for a in page.items}

        return self.means.parts.transactions.read(work)

    def get_account(self, actor: Actor, account: str) -> Account:
        """Return an account by name or id; raise ``NotFound``."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        read = self.means.parts.transactions.read
        return same_organisation(actor, read(lambda tx: find_account(self.means, tx, account)))

    def lock_account(self, actor: Actor, account: str, reason: str) -> Account:
        """Lock an account and end its sessions; effective within a second everywhere."""
        self.means.parts.access.require(actor, ACCOUNT_LOCK, "account:*")
        read = self.means.parts.transactions.read
        found = same_organisation(actor, read(lambda tx: find_account(self.means, tx, account)))

        def work(tx: Transaction) -> None:
            if found.state == "active":
                self.means.stores.accounts.set_state(tx, found.id, "locked")
            end_within(self.means, tx, found.id, reason)

        act = Act(
            "iam.lock_account", actor, f"account:{found.id}", details={"reason": reason[:500]}
        )
        self.means.parts.transactions.restrict(work, Restriction("account", found.id, act))
        return found

    def unlock_account(self, actor: Actor, account: str, reason: str) -> Account:
        """Let an account sign in again; its ended sessions stay ended."""
        self.means.parts.access.require(actor, ACCOUNT_UNLOCK, "account:*")

        def work(tx: Transaction) -> Account:
            found = same_organisation(actor, find_account(self.means, tx, account))
            refuse_own(actor, found.id)
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
