"""Locks: one act ends a subject's sessions, tokens, refresh families and devices at once.

Setting one is never refused for the ledger's sake; lifting one takes another person. What the
subject may do is decided anew at each request, so its keys and seals stop with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final

from iam.core.circumstances import address_key
from iam.errors.zero_trust import LockRefused, SubjectLocked
from iam.models.changes import ChangeRequest
from iam.models.sessions import OpSession
from iam.models.zero_trust import Lock, LockKind
from iam.service.changes import Asking, ChangeDesk, Sides, Verdict, ask_change, decide_change
from iam.service.means import Means
from iam.service.persons import refuse_requester, refuse_same_person
from iam.service.sign_on.sessions import end_one, ending_of, find_account
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, rfc3339_or_none
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import LOCK_LIFT, LOCK_LIFT_APPROVE, LOCK_READ, LOCK_SET
from secops.kernel.permissions.roles import SECURITY_ADMIN
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

KIND: Final = "iam.lift_lock"
REQUEST_LIFETIME: Final = 7 * DAY
LONGEST: Final = 3_650 * DAY
MOST_NAMED: Final = 500
MOST_DUE: Final = 50
_CLOCKWORK: Final = system_actor("scheduler")
_HELD: Final = "held_before"


@dataclass(frozen=True, slots=True)
class NewLock:
    """Whom to lock (name or id), why, and until when (UTC microseconds; None: until lifted)."""

    kind: LockKind
    subject: str
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    """Who is hit. ``org_id`` owns the lock, ``accounts`` and ``sessions`` end with it."""

    subject: str
    org_id: str
    accounts: tuple[str, ...] = ()
    sessions: tuple[OpSession, ...] = ()
    devices: tuple[str, ...] = ()


def refuse_locked(means: Means, tx: Transaction, account_id: str) -> None:
    """Raise ``SubjectLocked`` where a lock holds the account: only lifting it helps."""
    if means.stores.locks.holding(tx, "account", account_id):
        raise SubjectLocked


@dataclass(frozen=True, slots=True)
class LockService:
    """What can be done with locks."""

    means: Means

    def lock_subject(self, actor: Actor, new: NewLock) -> Lock:
        """Lock a subject; what it held ends with the same act. Raises ``LockRefused``."""
        means = self.means
        means.parts.access.require(actor, LOCK_SET, "lock:*")
        if not new.reason.strip():
            msg = "a lock has a reason"
            raise Invalid(msg)
        if new.until is not None and not means.now < new.until <= means.now + LONGEST:
            msg = "a lock ends in the future, within ten years"
            raise Invalid(msg)
        target = means.parts.transactions.read(lambda tx: self._target(tx, actor, new))
        lock = Lock(
            id=means.parts.ids.new("lck"),
            org_id=target.org_id,
            kind=new.kind,
            subject=target.subject,
            reason=new.reason.strip()[:500],
            created_by=actor.id,
            created_at=means.now,
            until=new.until,
            ended={"sessions": len(target.sessions), "devices": len(target.devices)},
        )

        def work(tx: Transaction) -> None:
            ended = {**lock.ended, _HELD: int(self._held_before(tx, lock))}
            means.stores.locks.add(tx, replace(lock, ended=ended))
            self._end(tx, lock, target)

        act = Act(
            "iam.lock_subject",
            actor,
            f"{lock.kind}:{lock.subject}",
            details={"lock": lock.id, "reason": lock.reason, "until": lock.until, **lock.ended},
        )
        named = [ending_of(actor, session, lock.reason) for session in target.sessions[:MOST_NAMED]]
        restrictions = [Restriction(lock.kind, lock.subject, act), *named]
        means.parts.transactions.restrict(work, *restrictions)
        return lock

    def _held_before(self, tx: Transaction, lock: Lock) -> bool:
        """Tell whether the account was locked by something else than locks: that outlives them.

        An administrator's or personnel's word; who lifts a lock has not been asked about it.
        """
        if lock.kind != "account":
            return False
        stores = self.means.stores
        if stores.accounts.get(tx, lock.subject).state != "locked":
            return False
        others = stores.locks.holding(tx, lock.kind, lock.subject)
        return not others or any(one.ended.get(_HELD) for one in others)

    def _end(self, tx: Transaction, lock: Lock, target: _Target) -> None:
        means = self.means
        if lock.kind == "account":
            account = means.stores.accounts.get(tx, lock.subject)
            if account.state == "active":
                means.stores.accounts.set_state(tx, account.id, "locked")
        for session in target.sessions:
            end_one(means, tx, session, lock.reason)
        for device in target.devices:
            means.stores.registered_devices.revoke(tx, device)

    def list_locks(self, actor: Actor, request: PageRequest, *, lifted: bool = False) -> Page[Lock]:
        """Return locks, newest first: those in force, or all."""
        self.means.parts.access.require(actor, LOCK_READ, "lock:*")
        stores, read = self.means.stores, self.means.parts.transactions.read
        return read(lambda tx: stores.locks.page(tx, actor.org_id, request, lifted=lifted))

    def get_lock(self, actor: Actor, lock_id: str) -> Lock:
        """Return a lock; raise ``NotFound``."""
        self.means.parts.access.require(actor, LOCK_READ, "lock:*")
        return self.means.parts.transactions.read(lambda tx: self._lock(tx, actor, lock_id))

    def ask_to_lift(self, actor: Actor, lock_id: str, reason: str) -> str:
        """Ask to lift a lock; return the request's id."""
        means = self.means
        means.parts.access.require(actor, LOCK_LIFT, f"lock:{lock_id}")
        approval_id = means.parts.ids.new("apr")

        def work(tx: Transaction) -> str:
            lock = self._lock(tx, actor, lock_id)
            self._supersede(tx, actor, lock, approval_id)
            if not means.stores.locks.ask_to_lift(tx, lock_id, approval_id):
                msg = "there is no such lock in force"
                raise NotFound(msg)
            asking = Asking(
                id=approval_id,
                org_id=lock.org_id,
                kind=KIND,
                target=f"lock:{lock_id}",
                sides=self._sides(tx, lock),
                permission=LOCK_LIFT_APPROVE,
                life=REQUEST_LIFETIME,
                reason=reason,
            )
            ask_change(means, tx, actor, asking)
            details = {"approval": approval_id, "reason": reason[:500]}
            tx.record(Act("iam.ask_to_lift_lock", actor, f"lock:{lock_id}", details=details))
            return approval_id

        return means.parts.transactions.run(work)

    def decide_lift(
        self, actor: Actor, lock_id: str, *, grant: bool, reason: str = "", request: str = ""
    ) -> Lock:
        """Lift a lock that another person asked to lift, or refuse to.

        ``request`` names the one that was looked at; without it, the lock's own is meant.
        """
        means = self.means
        means.parts.access.require(actor, LOCK_LIFT_APPROVE, f"lock:{lock_id}")

        def work(tx: Transaction) -> Lock:
            lock = self._lock(tx, actor, lock_id)
            if lock.lift_approval is None or lock.lifted_at is not None:
                msg = "nobody has asked to lift this lock"
                raise NotFound(msg)
            if request and lock.lift_approval != request:
                msg = "the lock waits for another request"
                raise NotFound(msg)
            refuse_requester(means, tx, actor, lock.lift_approval)
            refuse_same_person(means, tx, actor.id, (lock.subject,))
            change = means.stores.changes.get(tx, lock.lift_approval)
            verdict = Verdict("rejected", reason)
            if grant:
                verdict = Verdict("applied", reason, self._sides(tx, lock))
            decide_change(means, tx, actor, change, verdict)
            if grant:
                self._lift(tx, lock, actor)
            else:
                tx.record(Act("iam.refuse_lift", actor, f"lock:{lock_id}"))
            return self._lock(tx, actor, lock_id)

        return means.parts.transactions.run(work)

    @property
    def desk(self) -> ChangeDesk:
        """How requests are seen and decided beside all others."""
        title = Text("解除锁定", "Lift a lock")
        return ChangeDesk(KIND, title, LOCK_LIFT_APPROVE, self._look, self._decide)

    def _look(self, tx: Transaction, change: ChangeRequest) -> Sides:
        lock = self.means.stores.locks.get(tx, change.target.removeprefix("lock:"))
        if lock is None or lock.lift_approval != change.id:
            msg = "the lock waits for another request"
            raise NotFound(msg)
        return self._sides(tx, lock)

    def _decide(self, actor: Actor, change: ChangeRequest, *, grant: bool, reason: str) -> None:
        lock_id = change.target.removeprefix("lock:")
        self.decide_lift(actor, lock_id, grant=grant, reason=reason, request=change.id)

    def _supersede(self, tx: Transaction, actor: Actor, lock: Lock, by: str) -> None:
        """Withdraw the request that waited: a lock waits for the last one alone."""
        if lock.lift_approval is not None:
            said = (actor.id, f"superseded by {by}")
            self.means.stores.changes.decide(tx, lock.lift_approval, "withdrawn", said)

    def _sides(self, tx: Transaction, lock: Lock) -> Sides:
        """Return the lock, and whether its subject is free without it."""
        held = self.means.stores.locks.holding(tx, lock.kind, lock.subject)
        others = [one.id for one in held if one.id != lock.id]
        before = {
            "kind": lock.kind,
            "subject": lock.subject,
            "lock_reason": lock.reason,
            "until": rfc3339_or_none(lock.until),
            "lock_state": "in_force" if lock.lifted_at is None else "lifted",
            "other_locks": sorted(others),
            "subject_free": False,
        }
        free = not others and not lock.ended.get(_HELD)
        return Sides(before, {**before, "lock_state": "lifted", "subject_free": free})

    def expire_locks(self) -> bool:
        """Lift locks whose time is over; True when more wait (the scheduler's work)."""
        run, stores = self.means.parts.transactions.run, self.means.stores

        def work(tx: Transaction) -> int:
            due = stores.locks.due(tx, MOST_DUE)
            for lock in due:
                self._lift(tx, lock, _CLOCKWORK)
            return len(due)

        waiting = self.means.parts.transactions.read(lambda tx: stores.locks.due(tx, 1))
        return bool(waiting) and run(work) >= MOST_DUE

    def _lift(self, tx: Transaction, lock: Lock, actor: Actor) -> None:
        """End one lock; the subject is free again when nothing else holds it."""
        means = self.means
        means.stores.locks.lift(tx, lock.id, actor.id)
        held = lock.ended.get(_HELD) or means.stores.locks.holding(tx, lock.kind, lock.subject)
        if not held:
            means.parts.revocations.restore(tx, lock.kind, lock.subject)
            if lock.kind == "account":
                account = means.stores.accounts.get(tx, lock.subject)
                if account.state == "locked":
                    means.stores.accounts.set_state(tx, account.id, "active")
        tx.record(
            Act(
                "iam.lift_lock",
                actor,
                f"{lock.kind}:{lock.subject}",
                details={"lock": lock.id, "approval": lock.lift_approval},
            )
        )

    # finding the subject

    def _lock(self, tx: Transaction, actor: Actor, lock_id: str) -> Lock:
        lock = self.means.stores.locks.get(tx, lock_id)
        if lock is None or not _may_touch(actor, lock.org_id):
            msg = "there is no such lock"
            raise NotFound(msg)
        return lock

    def _target(self, tx: Transaction, actor: Actor, new: NewLock) -> _Target:
        if new.kind == "address":
            return self._address(tx, actor, new.subject)
        subject, org_id = self._subject(tx, new.kind, new.subject)
        if not _may_touch(actor, org_id):
            msg = f"there is no such {new.kind}"
            raise NotFound(msg)
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
        return _Target(subject, org_id, accounts, tuple(sessions), tuple(devices))

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
        if kind == "account":
            return account.id, account.org_id
        if account.person_id is None:
            raise NotFound("no person is known behind this account")
        return account.person_id, account.org_id

    def _address(self, tx: Transaction, actor: Actor, text: str) -> _Target:
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
        return _Target(subject, ROOT_ORG, (), tuple(found))

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


def _may_touch(actor: Actor, org_id: str) -> bool:
    return actor.org_id in (org_id, ROOT_ORG) or actor.kind == "system"
