"""One account on one page: what it holds, what holds it, and what decides about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from iam.models.accounts import Account, LegalPerson, Mandate
from iam.models.profiles import AccountProfile, AccountRisk
from iam.models.sessions import OpSession
from iam.models.zero_trust import Lock
from iam.service.means import Means
from iam.service.reach import reached_account, require_reach
from iam.service.sign_on.factors import held_factors
from iam.service.zero_trust.decisions import DecisionService
from secops.kernel.actors import Actor
from secops.kernel.errors import NotFound
from secops.kernel.permissions import Permission
from secops.kernel.permissions.iam import (
    ACCOUNT_READ,
    DEVICE_READ,
    LOCK_READ,
    MANDATE_READ,
    ROLE_READ,
    SESSION_READ,
)
from secops.kernel.transactions import Transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProfileService:
    """Looks, and changes nothing."""

    means: Means
    decisions: DecisionService

    def get_profile(self, actor: Actor, account: str) -> AccountProfile:
        """Return an account (name or id) within reach with what the actor may see of it."""
        self.means.parts.access.require(actor, ACCOUNT_READ, "account:*")
        read = self.means.parts.transactions.read
        found = read(lambda tx: reached_account(self.means, tx, actor, account))
        risk = self._risk(found)
        return read(lambda tx: self._profile(tx, actor, found, risk))

    def get_session(self, actor: Actor, session_id: str) -> OpSession:
        """Return a session within reach, living or over; raise ``NotFound``."""
        self.means.parts.access.require(actor, SESSION_READ, f"session:{session_id[:64]}")

        def work(tx: Transaction) -> OpSession:
            found = self.means.stores.sessions.get(tx, session_id)
            if found is None:
                raise NotFound("there is no such session")
            require_reach(self.means, tx, actor, found.org_id, "session")
            return found

        return self.means.parts.transactions.read(work)

    def _profile(
        self, tx: Transaction, actor: Actor, found: Account, risk: AccountRisk
    ) -> AccountProfile:
        stores, person = self.means.stores, None
        if found.person_id is not None:
            person = stores.persons.get_person(tx, found.person_id)

        def seen(permission: Permission, look: Callable[[], T]) -> T | None:
            return look() if actor.may(permission) else None

        return AccountProfile(
            account=found,
            real_name_level=person.real_name_level if person else 0,
            levels=tuple(stores.upstream_links.levels_of(tx, found.id)),
            posts=tuple(stores.persons.services_of(tx, person.id)) if person else (),
            factors=tuple(held_factors(self.means, tx, found.id)),
            risk=risk,
            roles=seen(ROLE_READ, lambda: stores.roles.of_subject(tx, found.id)),
            lent=seen(ROLE_READ, lambda: stores.roles.lent(tx, found.id)) or {},
            sessions=seen(SESSION_READ, lambda: tuple(stores.sessions.alive_of(tx, found.id))),
            devices=seen(
                DEVICE_READ, lambda: tuple(stores.registered_devices.of_account(tx, found.id))
            ),
            locks=seen(LOCK_READ, lambda: self._locks(tx, found)),
            mandates=seen(MANDATE_READ, lambda: self._mandates(tx, found)),
        )

    def _risk(self, account: Account) -> AccountRisk:
        standing = self.decisions.risks.standing(f"account:{account.id}")
        limits = self.decisions.book.current().data.risk
        return AccountRisk(standing.risk, standing.at, limits)

    def _locks(self, tx: Transaction, account: Account) -> tuple[Lock, ...]:
        """Return the locks in force that hit the account, by itself or with others."""
        holding = self.means.stores.locks.holding
        return (
            *holding(tx, "account", account.id),
            *(holding(tx, "person", account.person_id) if account.person_id else ()),
            *holding(tx, "organisation", account.org_id),
        )

    def _mandates(
        self, tx: Transaction, account: Account
    ) -> tuple[tuple[Mandate, LegalPerson], ...]:
        stores = self.means.stores
        return tuple(
            (each, stores.legal_persons.get(tx, each.legal_person_id))
            for each in stores.mandates.alive(tx, agent_id=account.id)
        )
