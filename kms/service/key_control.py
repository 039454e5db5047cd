"""What is taken away and given: suspend, resume, grant.

Suspending is a restricting act: it is never refused because the ledger can't be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kms.core.keys import lifecycle
from kms.models.keys import DEFAULT_MOUNT, OPERATIONS, Key, KeyGrant, LoadedKey, Operation
from kms.ports.keys import KeyStores, Subjects
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid, NotFound
from secops.kernel.parts import Parts
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import KEY_GRANT, KEY_SUSPEND
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction


class KeyControl:
    """Takes keys out of use and back, and says who may use which."""

    def __init__(
        self,
        parts: Parts,
        ring: KeyRing,
        maker: KeyMaker,
        *,
        stores: KeyStores,
        subjects: Subjects,
    ) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._store = stores.keys
        self._subjects = subjects
        self._holds = stores.holds

    def suspend_key(
        self, actor: Actor, name: str, *, reason: str, mount: str = DEFAULT_MOUNT
    ) -> Key:
        """Take the key out of use everywhere within a second.

        One that a playbook's run holds stays out of use when the run gives it back.
        """
        before = self._manage(actor, KEY_SUSPEND, name, mount)
        lifecycle.demand_kept(before)
        after = replace(before, state="suspended")
        act = Act("kms.suspend_key", actor, f"key:{after.id}", details={"reason": reason[:500]})

        def work(transaction: Transaction) -> None:
            held = self._holds.outlast(transaction, "key", after.id)
            if before.state == "active" or not held:
                lifecycle.demand_active(before)
                self._maker.update(transaction, before, after)

        self._parts.transactions.restrict(work, Restriction("key", after.id, act))
        return after

    def resume_key(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> Key:
        """Let a suspended key be used again, whatever holds it."""
        before = self._manage(actor, KEY_SUSPEND, name, mount)
        lifecycle.demand_kept(before)
        after = replace(before, state="active")

        def work(transaction: Transaction) -> None:
            self._maker.update(transaction, before, after)
            self._holds.lift(transaction, "key", after.id)
            self._parts.revocations.restore(transaction, "key", after.id)
            transaction.record(Act("kms.resume_key", actor, f"key:{after.id}"))

        self._parts.transactions.run(work)
        return after

    def grant_key(
        self,
        actor: Actor,
        name: str,
        subject: str,
        operations: Iterable[str],
        *,
        mount: str = DEFAULT_MOUNT,
    ) -> KeyGrant:
        """Let ``subject`` (an account's or client's name or id) do ``operations``."""
        key = self._manage(actor, KEY_GRANT, name, mount)
        words = _operations(operations)
        resolved = self._subjects.resolve_subject(actor.org_id, subject)
        grant = KeyGrant(key.id, resolved, words, self._parts.clock.now())
        details = {"subject": resolved, "operations": sorted(words)}

        def work(transaction: Transaction) -> None:
            self._maker.put_grant(transaction, key, grant)
            transaction.record(Act("kms.grant_key", actor, f"key:{key.id}", details=details))

        self._parts.transactions.run(work)
        return grant

    def revoke_key_grant(
        self, actor: Actor, name: str, subject: str, *, mount: str = DEFAULT_MOUNT
    ) -> None:
        """Take the key away from ``subject``; it holds everywhere within a second."""
        key = self._manage(actor, KEY_GRANT, name, mount)
        resolved = self._subjects.resolve_subject(actor.org_id, subject)
        details = {"subject": resolved}

        def work(transaction: Transaction) -> None:
            if not self._store.drop_grant(transaction, key.id, resolved):
                msg = f"{subject} has no grant of {name}"
                raise NotFound(msg)
            transaction.record(Act("kms.revoke_key_grant", actor, f"key:{key.id}", details=details))

        self._parts.transactions.run(work)

    def list_grants(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> LoadedKey:
        """Return the key with its grants."""
        self._parts.access.require(actor, KEY_GRANT, f"key:{name}")
        return self._load(actor, name, mount)

    def _manage(self, actor: Actor, permission: Permission, name: str, mount: str) -> Key:
        self._parts.access.require(actor, permission, f"key:{name}")
        return self._load(actor, name, mount).key

    def _load(self, actor: Actor, name: str, mount: str) -> LoadedKey:
        return read_now(self._parts, self._ring, (actor.org_id, mount, name))


def _operations(words: Iterable[str]) -> frozenset[Operation]:
    chosen = frozenset(words)
    if not chosen or not chosen <= OPERATIONS:
        msg = f"operations are of {', '.join(sorted(OPERATIONS))}"
        raise Invalid(msg)
    return frozenset(word for word in OPERATIONS if word in chosen)
