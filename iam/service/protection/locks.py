"""Locks: one act ends a subject's sessions, tokens, refresh families and devices at once.

Setting one is never refused for the ledger's sake; lifting one takes another person. What the
subject may do is decided anew at each request, so its keys and seals stop with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from iam.errors.zero_trust import SubjectLocked
from iam.models.changes import ChangeRequest
from iam.models.zero_trust import Lock
from iam.service.changes import Asking, ChangeDesk, Sides, Verdict, ask_change, decide_change
from iam.service.means import Means
from iam.service.persons import refuse_requester, refuse_same_person
from iam.service.protection.lock_effects import HELD, lift_lock, new_lock, set_lock
from iam.service.protection.lock_targets import LockTargets, NewLock, may_touch
from secops.kernel.actors import Actor, system_actor
from secops.kernel.catalogue import Text
from secops.kernel.clock import DAY, rfc3339_or_none
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.pages import Page, PageRequest
from secops.kernel.permissions.iam import LOCK_LIFT, LOCK_LIFT_APPROVE, LOCK_READ, LOCK_SET
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

__all__ = ["LockService", "NewLock", "refuse_locked"]

KIND: Final = "iam.lift_lock"
REQUEST_LIFETIME: Final = 7 * DAY
LONGEST: Final = 3_650 * DAY
MOST_DUE: Final = 50
_CLOCKWORK: Final = system_actor("scheduler")


def refuse_locked(means: Means, tx: Transaction, account_id: str) -> None:
    """Raise ``SubjectLocked`` where a lock holds the account: only lifting it helps."""
    if means.stores.locks.holding(tx, "account", account_id):
        raise SubjectLocked


@dataclass(frozen=True, slots=True)
class LockService:
    """What can be done with locks."""

    means: Means

    @property
    def targets(self) -> LockTargets:
        """Who locks hit."""
        return LockTargets(self.means)

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
        target = means.parts.transactions.read(lambda tx: self.targets.find(tx, actor, new))
        lock = new_lock(means, actor, new, target)
        set_lock(means, actor, lock, target)
        return lock

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
            if not means.stores.locks.note(tx, replace(lock, lift_approval=approval_id)):
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
                lift_lock(means, tx, lock, actor)
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
        free = not others and not lock.ended.get(HELD)
        return Sides(before, {**before, "lock_state": "lifted", "subject_free": free})

    def expire_locks(self) -> bool:
        """Lift locks whose time is over; True when more wait (the scheduler's work)."""
        run, stores = self.means.parts.transactions.run, self.means.stores

        def work(tx: Transaction) -> int:
            due = stores.locks.due(tx, MOST_DUE)
            for lock in due:
                lift_lock(self.means, tx, lock, _CLOCKWORK)
            return len(due)

        waiting = self.means.parts.transactions.read(lambda tx: stores.locks.due(tx, 1))
        return bool(waiting) and run(work) >= MOST_DUE

    def _lock(self, tx: Transaction, actor: Actor, lock_id: str) -> Lock:
        lock = self.means.stores.locks.get(tx, lock_id)
        if lock is None or not may_touch(actor, lock.org_id):
            msg = "there is no such lock"
            raise NotFound(msg)
        return lock
