"""What a lock ends when it is set, and what is free again when it is lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from iam.models.zero_trust import Lock, LockKind
from iam.service.means import Means
from iam.service.protection.lock_targets import LockTarget, NewLock
from iam.service.sign_on.sessions import end_one, ending_of
from secops.kernel.actors import Actor
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

MOST_NAMED: Final = 500
HELD: Final = "held_before"
"""Counted in ``Lock.ended``: the subject was ended by something else than locks before."""


def new_lock(means: Means, actor: Actor, new: NewLock, target: LockTarget) -> Lock:
    """Return the lock that ``new`` asks for, in force from now on."""
    return Lock(
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


def set_lock(
    means: Means,
    actor: Actor,
    lock: Lock,
    target: LockTarget,
    *,
    order: Mapping[str, str] | None = None,
) -> None:
    """Set it and end what ends with it; never refused. ``order`` goes into the act."""

    def work(tx: Transaction) -> None:
        ended = {**lock.ended, HELD: int(held_beyond(means, tx, lock.kind, lock.subject))}
        means.stores.locks.add(tx, replace(lock, ended=ended))
        _end(means, tx, lock, target)

    details = {"lock": lock.id, "reason": lock.reason, "until": lock.until, **lock.ended}
    act = Act(
        "iam.lock_subject",
        actor,
        f"{lock.kind}:{lock.subject}",
        details={**details, **(order or {})},
    )
    named = [ending_of(actor, session, lock.reason) for session in target.sessions[:MOST_NAMED]]
    restrictions = [Restriction(lock.kind, lock.subject, act), *named]
    means.parts.transactions.restrict(work, *restrictions)


def lift_lock(
    means: Means,
    tx: Transaction,
    lock: Lock,
    actor: Actor,
    order: Mapping[str, str] | None = None,
) -> None:
    """End one lock; the subject is free again when nothing else holds it."""
    if not means.stores.locks.lift(tx, lock.id, actor.id):
        return  # somebody was quicker, and wrote it down
    held = lock.ended.get(HELD) or means.stores.locks.holding(tx, lock.kind, lock.subject)
    if not held and not _ended_for_good(means, tx, lock):
        means.parts.revocations.restore(tx, lock.kind, lock.subject)
        if lock.kind == "account":
            account = means.stores.accounts.get(tx, lock.subject)
            if account.state == "locked":
                means.stores.accounts.set_state(tx, account.id, "active")
    details = {"lock": lock.id, "approval": lock.lift_approval, **(order or {})}
    tx.record(Act("iam.lift_lock", actor, f"{lock.kind}:{lock.subject}", details=details))


def held_beyond(means: Means, tx: Transaction, kind: LockKind, subject: str) -> bool:
    """Tell whether something else than locks holds the subject: that outlives them.

    Of an account an administrator's or personnel's word, of an application that it was
    disabled; who lifts a lock has not been asked about it.
    """
    if kind == "client":
        client = means.stores.clients.get(tx, subject)
        return client is None or client.disabled_at is not None
    if kind != "account":
        return False
    state = means.stores.accounts.get(tx, subject).state
    if state != "locked":
        return state == "closed"
    locks = means.stores.locks.holding(tx, kind, subject)
    return not locks or any(lock.ended.get(HELD) for lock in locks)


def outlast_locks(means: Means, tx: Transaction, account_id: str) -> None:
    """Note on the locks of an account that somebody else ends it, too: lifting them frees it not.

    Otherwise the end of a playbook's lock would undo what an administrator or personnel said.
    """
    for lock in means.stores.locks.holding(tx, "account", account_id):
        means.stores.locks.note(tx, replace(lock, ended={**lock.ended, HELD: 1}))


def _ended_for_good(means: Means, tx: Transaction, lock: Lock) -> bool:
    """Tell whether the subject was closed or disabled while it was locked."""
    if lock.kind == "account":
        return means.stores.accounts.get(tx, lock.subject).state == "closed"
    return lock.kind == "client" and held_beyond(means, tx, lock.kind, lock.subject)


def _end(means: Means, tx: Transaction, lock: Lock, target: LockTarget) -> None:
    if lock.kind == "account":
        account = means.stores.accounts.get(tx, lock.subject)
        if account.state == "active":
            means.stores.accounts.set_state(tx, account.id, "locked")
    for session in target.sessions:
        end_one(means, tx, session, lock.reason)
    for device in target.devices:
        means.stores.registered_devices.revoke(tx, device)
