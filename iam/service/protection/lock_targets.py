"""Who a lock hits: the subject, and all that ends with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from iam.core.circumstances import address_key
from iam.errors.zero_trust import LockRefused
from iam.models.sessions import OpSession
from iam.models.zero_trust import LockKind
from iam.service.means import Means
from iam.service.sign_on.sessions import find_account
from secops.kernel.actors import ROOT_ORG, Actor
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions.roles import SECURITY_ADMIN
from secops.kernel.transactions import Transaction


@dataclass(frozen=True, slots=True)
class NewLock:
    """Whom to lock (name or id), why, and until when (UTC microseconds; None: until lifted)."""

    kind: LockKind
    subject: str
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class LockTarget:
    """Who is hit. ``org_id`` owns the lock, ``accounts`` and ``sessions`` end with it."""

    subject: str
    org_id: str
    accounts: tuple[str, ...] = ()
    sessions: tuple[OpSession, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LockTargets:
    """Finds who is hit; changes nothing."""

    means: Means

    def find(self, tx: Transaction, actor: Actor, new: NewLock) -> LockTarget:
        """Return who a lock hits; raise ``NotFound``, ``Invalid`` or ``LockRefused``."""
        if new.kind == "address":
            return self._address(tx, actor, new.subject)
        subject, org_id = self._subject(tx, new.kind, new.subject)
        if not may_touch(actor, org_id):
            msg = f"there is no such {new.kind}"
            raise NotFound(msg)
        if new.kind == "step-up":
            return LockTarget(subject, org_id)  # nothing ends: a newer proof is demanded
        stores = self.means.stores
        accounts = tuple(stores.locks.accounts_behind(tx, new.kind, subject))
        self._keep_one_administrator(tx, accounts)
        sessions = [one for each in accounts for one in stores.sessions.alive_of(tx, each)]
        devices: list[str] = []
        if new.kind in ("account", "person"):
            owned = [d for each in accounts for d in stores.registered_devices.of_account(tx, each)]
            devices = [device.id for device in owned if device.state == "active"]
        elif new.kind == "device":
            bound = stores.registered_devices.sessions_of(tx, subject)
            sessions = self._sessions(tx, bound)
            devices = [subject]
        return LockTarget(subject, org_id, accounts, tuple(sessions), tuple(devices))

    def _subject(self, tx: Transaction, kind: LockKind, name: str) -> tuple[str, str]:
        """Return id and organisation of what ``name`` means; raise ``NotFound``."""
        stores = self.means.stores
        if kind == "client":
            client = stores.clients.get(tx, name)
            if client is None:
                raise NotFound("there is no such client")
            return client.id, client.org_id
        if kind == "device":
            device = stores.registered_devices.get(tx, name)
            if device is None:
                raise NotFound("there is no such device")
            return device.id, device.org_id
        if kind == "organisation":
            if not stores.locks.accounts_behind(tx, kind, name):
                raise NotFound("there is no organisation of this id with accounts")
            return name, name
        account = find_account(self.means, tx, name)
        if kind in ("account", "step-up"):
            return account.id, account.org_id
        if account.person_id is None:
            raise NotFound("no person is known behind this account")
        return account.person_id, account.org_id

    def _address(self, tx: Transaction, actor: Actor, text: str) -> LockTarget:
        try:
            address, subject = ip_address(text.strip()), address_key(text.strip())
        except ValueError as error:
            msg = "that is no IP address"
            raise Invalid(msg) from error
        own = actor.address and address_key(actor.address) == subject
        if address.is_loopback or address.is_unspecified or own:
            msg = "this machine's address, or your own, can't be locked"
            raise LockRefused(msg)
        if actor.org_id != ROOT_ORG:
            msg = "addresses are locked by the root organisation"
            raise NotFound(msg)
        # sessions remember one spelling; of an IPv6 network only this address is looked up
        spelled = str(address) if "/" in subject else subject
        found = self._sessions(tx, self.means.stores.locks.sessions_from(tx, spelled))
        return LockTarget(subject, ROOT_ORG, (), tuple(found))

    def _sessions(self, tx: Transaction, ids: Sequence[str]) -> list[OpSession]:
        found = [self.means.stores.sessions.get(tx, session_id) for session_id in ids]
        return [session for session in found if session is not None]

    def _keep_one_administrator(self, tx: Transaction, accounts: Sequence[str]) -> None:
        """Raise ``LockRefused`` where no security administrator would be left to lift it."""
        holders = self.means.stores.locks.holders(tx, SECURITY_ADMIN)
        if not any(account in accounts for account, _, _ in holders):
            return
        ended = self.means.parts.revocations.is_revoked
        left = [
            account
            for account, person, org_id in holders
            if account not in accounts
            and not ended("account", account)
            and not ended("person", person)
            and not ended("organisation", org_id)
        ]
        if not left:
            msg = "that would lock the last security administrator"
            raise LockRefused(msg)


def may_touch(actor: Actor, org_id: str) -> bool:
    """Tell whether ``actor`` reaches what ``org_id`` owns."""
    return actor.org_id in (org_id, ROOT_ORG) or actor.kind == "system"
