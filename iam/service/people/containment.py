"""Containment ordered by a playbook's run: no route and no command leads here.

The authority stands in the plan that the run carries out; the acts name the run, who asked
and who approved. All acts are idempotent by the order's key. What takes away is never refused
(``transactions.restrict``); what gives back lifts what the order names and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from iam.core.circumstances import address_key
from iam.errors.zero_trust import SubjectLocked
from iam.models.accounts import Account
from iam.models.zero_trust import Lock
from iam.service.means import Means
from iam.service.protection.lock_effects import held_beyond, lift_lock, new_lock, set_lock
from iam.service.protection.lock_targets import LockTarget, LockTargets, NewLock
from iam.service.sign_on.sessions import end_sessions, find_account
from secops.kernel.actors import ROOT_ORG, system_actor
from secops.kernel.containment import Contained, ContainmentOrder
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.permissions.roles import ADMINISTRATORS
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

RestrainedKind = Literal["account", "client", "address", "step-up"]
"""Kinds of locks that runs set and lift."""

_ACTOR: Final = system_actor("playbooks")
_WORDS: Final[Mapping[RestrainedKind, tuple[str, str]]] = {
    "account": ("active", "locked"),
    "client": ("active", "suspended"),
    "address": ("allowed", "blocked"),
    "step-up": ("not demanded", "demanded"),
}
_TOKEN: Final = re.compile(r"[0-9a-zA-Z_-]{16,64}")
"""A ``jti`` or a refresh family's name; no other thing's epoch, all of which hold a colon."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """Locks of one kind, set and lifted by orders."""

    means: Means
    kind: RestrainedKind

    def look(self, org_id: str, name: str) -> Contained | None:
        """Return the subject with this name or id in ``org_id``; None for another's."""
        seen = self.means.parts.transactions.read(lambda tx: self._look(tx, org_id, name))
        if seen is None or not self.means.parts.revocations.is_revoked(self.kind, seen.id):
            return seen
        # the emergency way is known here before any table says so
        return replace(seen, held=True)

    def restrain(self, subject: str, order: ContainmentOrder) -> None:
        """Set a lock; raises ``LockRefused``, ``NotFound``.

        The same order has one effect, also where what it took was given back meanwhile.
        """
        means, new = self.means, NewLock(self.kind, subject, order.reason)

        def read(tx: Transaction) -> tuple[LockTarget, Lock | None]:
            target = LockTargets(means).find(tx, _ACTOR, new)
            if order.org_id not in (target.org_id, ROOT_ORG):
                raise NotFound("the subject belongs to another organisation")
            locks = means.stores.locks
            return target, locks.get(tx, order_key=order.key)

        target, set_before = means.parts.transactions.read(read)
        if set_before is not None:
            return
        # devices stay registered: what expires by itself must not end them for good
        target = replace(target, devices=())
        lock = new_lock(means, _ACTOR, new, target)
        set_lock(means, _ACTOR, replace(lock, order_key=order.key), target, order=order.told)

    def give_back(self, subject: str, order: ContainmentOrder) -> None:
        """Lift the lock of the order that this one undoes, or all.

        Raises ``NotFound``, or ``SubjectLocked`` where something else than locks holds the
        subject, which no playbook lifts.
        """
        means = self.means

        def work(tx: Transaction) -> None:
            before = self._look(tx, order.org_id, subject)
            if before is None:
                raise NotFound("the subject belongs to another organisation")
            holding = means.stores.locks.holding(tx, self.kind, subject)
            for lock in holding:
                if order.undoes in ("", lock.order_key):
                    lift_lock(means, tx, lock, _ACTOR, order.told)
            if before.beyond and not order.undoes:
                raise SubjectLocked
            # an order that left a lock took nothing by the emergency way: that was somebody else
            written = order.undoes and means.stores.locks.get(tx, order_key=order.undoes)
            if not holding and not before.beyond and not written:
                self._restore(tx, subject, order)

        means.parts.transactions.run(work)

    def is_in_force(self, subject: str, key: str) -> bool:
        """Tell whether the lock that the order ``key`` set still holds the subject."""
        read, locks = self.means.parts.transactions.read, self.means.stores.locks
        found = read(lambda tx: locks.get(tx, order_key=key))
        return found is not None and (found.subject, found.lifted_at) == (subject, None)

    def _look(self, tx: Transaction, org_id: str, name: str) -> Contained | None:
        named = self._named(tx, org_id, name)
        if named is None:
            return None
        subject, shown = named
        locks = self.means.stores.locks.holding(tx, self.kind, subject)
        beyond = held_beyond(self.means, tx, self.kind, subject)
        free, taken = _WORDS[self.kind]
        return Contained(
            id=subject,
            name=shown,
            state=taken if locks or beyond else free,
            held=bool(locks) or beyond,
            holders=tuple(sorted(lock.id for lock in locks)),
            beyond=beyond,
            protected=self._protected(tx, subject),
        )

    def _named(self, tx: Transaction, org_id: str, name: str) -> tuple[str, str] | None:
        """Return id and name of what ``name`` means in ``org_id``."""
        if self.kind == "client":
            client = self.means.stores.clients.get(tx, name)
            return None if client is None or client.org_id != org_id else (client.id, client.name)
        if self.kind == "address":
            try:
                return (address_key(name.strip()), name.strip()) if org_id == ROOT_ORG else None
            except ValueError as error:
                raise Invalid("that is no IP address") from error
        account = account_in(self.means, tx, org_id, name)
        return None if account is None else (account.id, account.name)

    def _protected(self, tx: Transaction, subject: str) -> str:
        return last_of(self.means, tx, subject) if self.kind == "account" else ""

    def _restore(self, tx: Transaction, subject: str, order: ContainmentOrder) -> None:
        """Lift what only the emergency way could take away: it wrote no lock."""
        if self.means.parts.revocations.is_revoked(self.kind, subject):
            self.means.parts.revocations.restore(tx, self.kind, subject)
            target = f"{self.kind}:{subject}"
            tx.record(Act("iam.lift_lock", _ACTOR, target, details=dict(order.told)))


@dataclass(frozen=True, slots=True)
class ContainmentService:
    """What identity takes away on an order, and gives back."""

    means: Means

    def restraint(self, kind: RestrainedKind) -> Restraint:
        """Return what sets and lifts locks of ``kind``."""
        return Restraint(self.means, kind)

    def sessions_of(self, account_id: str) -> Sequence[str]:
        """Return the ids of the account's living sessions."""
        read = self.means.parts.transactions.read
        alive = read(lambda tx: self.means.stores.sessions.alive_of(tx, account_id))
        return [session.id for session in alive]

    def revoke_sessions(self, account_id: str, reason: str) -> int:
        """End all its sessions; return how many there were."""
        read = self.means.parts.transactions.read
        alive = read(lambda tx: self.means.stores.sessions.alive_of(tx, account_id))
        return len(end_sessions(self.means, _ACTOR, alive, reason))

    def is_token_revoked(self, token_id: str) -> bool:
        """Tell whether the token (its ``jti``, or its refresh family) is ended; ``Invalid``."""
        if _TOKEN.fullmatch(token_id) is None:
            msg = "a token is named by its jti, never by itself"
            raise Invalid(msg)
        return self.means.parts.revocations.is_revoked("token", token_id)

    def revoke_token(self, token_id: str, order: ContainmentOrder) -> None:
        """End one token, or all of a refresh family, for good; never refused."""
        if self.is_token_revoked(token_id):
            return
        details = {**order.told, "reason": order.reason}
        act = Act("iam.revoke_token", _ACTOR, f"token:{token_id}", details=details)
        self.means.parts.transactions.restrict(lambda _: None, Restriction("token", token_id, act))


def account_in(means: Means, tx: Transaction, org_id: str, name: str) -> Account | None:
    """Return the account of this name or id if it is of ``org_id``."""
    try:
        found = find_account(means, tx, name)
    except NotFound:
        return None
    return found if found.org_id == org_id else None


def last_of(means: Means, tx: Transaction, account_id: str) -> str:
    """Say which administration the account is the last of, "" for none."""
    mine = means.stores.roles.of_subject(tx, account_id) & ADMINISTRATORS
    last = [role for role in sorted(mine) if means.stores.roles.holders(tx, role) <= 1]
    return f"the last {last[0]}" if last else ""
