"""Roles: given and taken by the security administrator, never to oneself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from iam.core.exclusion import administers, check_exclusion, check_role, side_of
from iam.errors import LastHolder, OwnRole, PersonUnproved, TwoPersonsNeeded
from iam.models.accounts import Account, Person, RoleGrant
from iam.models.clients import Client
from iam.service.means import Means
from iam.service.persons import same_person
from iam.service.reach import reached_account, reaches
from iam.service.sealed import refuse_break_glass
from iam.service.sign_on.sessions import end_within
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.clock import DAY
from secops.kernel.errors import Conflict, Invalid, NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import (
    ACCOUNT_READ,
    AUDITOR_ASSIGN,
    ROLE_ASSIGN,
    ROLE_READ,
)
from secops.kernel.permissions.roles import ADMINISTRATORS, AUDITOR
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

AUDITOR_DAYS: Final = 90
"""For how long an auditor is named where nobody says otherwise."""
MAX_AUDITOR_DAYS: Final = 366


def end_with_roles(means: Means, tx: Transaction, account: Account, reason: str) -> int:
    """Take every role from an account and end its sessions; raise ``LastHolder``.

    Returns how many roles it held.
    """
    held = means.stores.roles.of_subject(tx, account.id)
    for role in sorted(held):
        take_role(means, tx, account, role)
    end_within(means, tx, account.id, reason)
    return len(held)


def take_role(means: Means, tx: Transaction, account: Account, role: str) -> bool:
    """Remove a grant; False if there was none. Raises ``LastHolder`` or ``BreakGlassKept``."""
    refuse_break_glass(means, tx, account.id)
    removed = means.stores.roles.remove(tx, account.id, role)
    if (
        removed
        and role in ADMINISTRATORS
        and account.org_id == ROOT_ORG
        and means.stores.roles.holders(tx, role) == 0
    ):
        raise LastHolder
    return removed


def permission_to_assign(role: str) -> Permission:
    """Return what is needed to give or take ``role``: auditors are named by audit's own."""
    return AUDITOR_ASSIGN if role == AUDITOR else ROLE_ASSIGN


def length_of(role: str, days: int | None) -> int | None:
    """Return for how long ``role`` is given, µs; None for good. Raises ``Invalid``."""
    if role != AUDITOR:
        if days is not None:
            raise Invalid("only an auditor is named for a time; others ask for a privilege")
        return None
    wanted = AUDITOR_DAYS if days is None else days
    if not 1 <= wanted <= MAX_AUDITOR_DAYS:
        raise Invalid(f"an auditor is named for 1 to {MAX_AUDITOR_DAYS} days")
    return wanted * DAY


@dataclass(frozen=True, slots=True)
class RoleService:
    """What can be done with roles."""

    means: Means

    def assign_role(
        self, actor: Actor, account: str, role: str, *, days: int | None = None
    ) -> None:
        """Give ``role`` to an account (name or id); its sessions end, so that it counts anew.

        An auditor is named for some ``days`` (``AUDITOR_DAYS`` unless said), others for good.
        Raises ``OwnRole``, ``RoleConflict`` (三员分立), ``PersonUnproved``, or
        ``TwoPersonsNeeded``: one person alone makes nobody an administrator.
        """
        check_role(role, for_client=False)
        length = length_of(role, days)
        self.means.parts.access.require(actor, permission_to_assign(role), f"role:{role}")

        def work(tx: Transaction) -> None:
            found = reached_account(self.means, tx, actor, account)
            self._refuse_own(tx, actor, found)
            self._check_person(tx, actor, found, role)
            if role in ADMINISTRATORS:
                raise TwoPersonsNeeded
            until = None if length is None else tx.now + length
            self.grant(tx, actor, found, role, expires_at=until)

        self.means.parts.transactions.run(work)

    def grant(
        self,
        tx: Transaction,
        actor: Actor,
        account: Account,
        role: str,
        *,
        expires_at: int | None = None,
    ) -> None:
        """Store the grant of a checked role (also for bootstrap and demo homes)."""
        stores = self.means.stores
        refuse_break_glass(self.means, tx, account.id)
        person = self._check_person(tx, actor, account, role)
        stores.roles.add(
            tx,
            RoleGrant(
                org_id=account.org_id,
                subject_kind="account",
                subject_id=account.id,
                role=role,
                side=side_of(role),
                person_key=person.key,
                granted_by=actor.id,
                granted_at=tx.now,
                expires_at=expires_at,
            ),
        )
        ended = end_within(self.means, tx, account.id, "roles changed")
        what = (role, ended, expires_at)
        self._record(tx, "iam.assign_role", (actor, f"account:{account.id}"), what)

    def _check_person(self, tx: Transaction, actor: Actor, account: Account, role: str) -> Person:
        person = self._person(tx, account)
        if role in ADMINISTRATORS and not person.proved and actor.kind == "account":
            raise PersonUnproved
        check_exclusion(role, self.means.stores.roles.of_person(tx, person.key))
        return person

    def revoke_role(self, actor: Actor, account: str, role: str) -> None:
        """Take ``role`` from an account; raise ``OwnRole`` or ``LastHolder``."""
        check_role(role, for_client=False)
        self.means.parts.access.require(actor, permission_to_assign(role), f"role:{role}")

        def work(tx: Transaction) -> None:
            found = reached_account(self.means, tx, actor, account)
            self._refuse_own(tx, actor, found)
            self.take(tx, actor, found, role)

        self.means.parts.transactions.run(work)

    def take(self, tx: Transaction, actor: Actor, account: Account, role: str) -> None:
        """Remove a grant, end the sessions and record it; the caller has checked who may."""
        if not take_role(self.means, tx, account, role):
            msg = f"the account does not hold {role}"
            raise Conflict(msg)
        ended = end_within(self.means, tx, account.id, "roles changed")
        self._record(tx, "iam.revoke_role", (actor, f"account:{account.id}"), (role, ended, None))

    def assign_client_role(self, actor: Actor, client_id: str, role: str) -> None:
        """Give ``role`` to an application; it counts with its next request."""
        self.means.parts.access.require(actor, ROLE_ASSIGN, f"role:{role}")
        run = self.means.parts.transactions.run
        run(lambda tx: self.grant_client(tx, actor, self._client(tx, actor, client_id), role))

    def grant_client(self, tx: Transaction, actor: Actor, client: Client, role: str) -> None:
        """Store the grant of a role to an application (also for demo homes)."""
        check_role(role, for_client=True)
        self.means.stores.roles.add(
            tx,
            RoleGrant(
                org_id=client.org_id,
                subject_kind="client",
                subject_id=client.id,
                role=role,
                side=None,
                person_key=None,
                granted_by=actor.id,
                granted_at=tx.now,
            ),
        )
        self._move_epoch(tx, client.id)
        self._record(tx, "iam.assign_role", (actor, f"client:{client.id}"), (role, 0, None))

    def revoke_client_role(self, actor: Actor, client_id: str, role: str) -> None:
        """Take ``role`` from an application."""
        self.means.parts.access.require(actor, ROLE_ASSIGN, f"role:{role}")

        def work(tx: Transaction) -> None:
            client = self._client(tx, actor, client_id)
            if not self.means.stores.roles.remove(tx, client.id, role):
                msg = f"the application does not hold {role}"
                raise Conflict(msg)
            self._move_epoch(tx, client_id)
            self._record(tx, "iam.revoke_role", (actor, f"client:{client.id}"), (role, 0, None))

        self.means.parts.transactions.run(work)

    def list_roles(self, actor: Actor) -> Mapping[str, frozenset[str]]:
        """Return who holds which roles, by subject id."""
        self.means.parts.access.require(actor, ROLE_READ, "role:*")
        read = self.means.parts.transactions.read
        return read(lambda tx: self.means.stores.roles.by_subject(tx, actor.org_id))

    def roles_of(self, actor: Actor, account: str) -> frozenset[str]:
        """Return the roles of one account within reach (name or id)."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")

        def work(tx: Transaction) -> frozenset[str]:
            found = reached_account(self.means, tx, actor, account)
            return self.means.stores.roles.of_subject(tx, found.id)

        return self.means.parts.transactions.read(work)

    def _move_epoch(self, tx: Transaction, client_id: str) -> None:
        # caches of applications and their tokens are keyed by the epoch: this moves it
        stamp = f"grants:{client_id}:{tx.now}"
        self.means.parts.revocations.revoke(tx, "token", stamp)

    def _client(self, tx: Transaction, actor: Actor, client_id: str) -> Client:
        client = self.means.stores.clients.get(tx, client_id)
        if client is None or not reaches(self.means, tx, actor, client.org_id):
            msg = "there is no such application"
            raise NotFound(msg)
        return client

    def _person(self, tx: Transaction, account: Account) -> Person:
        if account.person_id is None:
            raise PersonUnproved
        return self.means.stores.persons.get_person(tx, account.person_id)

    def _refuse_own(self, tx: Transaction, actor: Actor, account: Account) -> None:
        """Refuse to change roles of oneself, under whichever account of the same person."""
        if same_person(self.means, tx, actor.id, account.id):
            raise OwnRole

    @staticmethod
    def _record(
        tx: Transaction, action: str, who: tuple[Actor, str], what: tuple[str, int, int | None]
    ) -> None:
        actor, target = who
        role, ended, until = what
        details = {"role": role, "administrator": administers({role}), "sessions_ended": ended}
        if until is not None:
            details["until"] = until
        tx.record(Act(action, actor, target, details=details))
