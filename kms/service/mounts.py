"""Mounts: names under which an organisation keeps keys.

``transit`` is always there. Taking a mount away takes its keys out of use everywhere within a
second and destroys none of them: it can be brought back, and its name is free meanwhile.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kms.core.keys import lifecycle
from kms.core.keys.binding import mount_record
from kms.errors.keys import MaterialTampered, MountInUse, MountNotFound
from kms.models.keys import DEFAULT_MOUNT, SYSTEM_MOUNT, Mount
from kms.ports.keys import MountStore
from kms.service.custody import Pool
from kms.service.tenants import Tenants
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict, Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_READ, MOUNT_CHANGE
from secops.kernel.trail import Act
from secops.kernel.transactions import Restriction, Transaction

_RESERVED: Final = frozenset(
    {DEFAULT_MOUNT, SYSTEM_MOUNT, "sys", "auth", "cubbyhole", "identity", "token"}
)
_MOST: Final = 200
_MAX_DESCRIPTION: Final = 500


class MountNames:
    """Finds the mount behind a path, checked against its tag."""

    def __init__(self, pool: Pool, store: MountStore, tenants: Tenants) -> None:
        self._pool = pool
        self._store = store
        self._tenants = tenants

    def identifier(self, transaction: Transaction, org_id: str, path: str) -> str:
        """Return the identifier of the mount in use under ``path``; raise ``MountNotFound``.

        The product's own mount has no path: nothing from outside leads there. Nor does anything
        lead to the keys of a locked organisation (``TenantLocked``).
        """
        self._tenants.demand_open(org_id)
        if path == DEFAULT_MOUNT:
            return DEFAULT_MOUNT
        return self.find(transaction, org_id, path).id

    def demand_same(self, transaction: Transaction, org_id: str, path: str, mount_id: str) -> None:
        """Return if ``path`` still leads to ``mount_id``; raise ``MountNotFound`` otherwise.

        The mount may have been taken away since its identifier was looked up.
        """
        if self.identifier(transaction, org_id, path) != mount_id:
            raise MountNotFound

    def find(self, transaction: Transaction, org_id: str, path: str) -> Mount:
        """Return the mount in use under ``path``; raise ``MountNotFound``."""
        found = self._store.find(transaction, org_id, path)
        if found is None:
            msg = f"nothing is mounted at {path[:64]!r}"
            raise MountNotFound(msg)
        return self._checked(found)

    def retired(self, transaction: Transaction, org_id: str, mount_id: str) -> Mount:
        """Return the mount that was taken away; raise ``MountNotFound``."""
        found = self._store.get(transaction, org_id, mount_id)
        if found is None or not found[0].retired_at:
            msg = f"no mount {mount_id[:64]!r} was taken away"
            raise MountNotFound(msg)
        return self._checked(found)

    def _checked(self, found: tuple[Mount, bytes]) -> Mount:
        mount, tag = found
        custody = self._pool.require_unlocked()
        if not hmac.compare_digest(custody.authenticate(mount_record(mount)), tag):
            msg = "a stored mount does not belong to this pool's root key"
            raise MaterialTampered(msg)
        return mount


class Mounts:
    """Makes mounts, takes them away and brings them back."""

    def __init__(self, parts: Parts, pool: Pool, store: MountStore) -> None:
        self._parts = parts
        self._pool = pool
        self._store = store
        self._names = MountNames(pool, store, Tenants(parts))

    def enable_mount(self, actor: Actor, path: str, description: str = "") -> Mount:
        """Make a mount at ``path``; raise ``MountInUse`` or ``Invalid``."""
        self._parts.access.require(actor, MOUNT_CHANGE, f"mount:{path}")
        lifecycle.check_name(path)
        if len(description) > _MAX_DESCRIPTION:
            msg = f"a description has at most {_MAX_DESCRIPTION} characters"
            raise Invalid(msg)
        if path in _RESERVED:
            msg = f"path is already in use at {path}/"
            raise MountInUse(msg)
        mount = Mount(
            id=self._parts.ids.new("mnt"),
            org_id=actor.org_id,
            path=path,
            description=description,
            created_at=self._parts.clock.now(),
        )
        custody = self._pool.require_unlocked()
        tag = custody.authenticate(mount_record(mount))

        def work(transaction: Transaction) -> None:
            if len(self._store.in_use(transaction, actor.org_id)) >= _MOST:
                msg = f"an organisation has at most {_MOST} mounts"
                raise Invalid(msg)
            if not self._store.insert(transaction, mount, tag):
                msg = f"path is already in use at {path}/"
                raise MountInUse(msg)
            transaction.record(_act("kms.enable_mount", actor, mount))

        self._parts.transactions.run(work)
        return mount

    def disable_mount(self, actor: Actor, path: str) -> Mount:
        """Take the mount at ``path`` away, with all its keys, everywhere within a second."""
        self._parts.access.require(actor, MOUNT_CHANGE, f"mount:{path}")
        if path == DEFAULT_MOUNT:
            msg = f"{DEFAULT_MOUNT} is always there"
            raise Invalid(msg)
        before = self._find(actor.org_id, path)
        after = replace(before, retired_at=self._parts.clock.now())
        tag = self._pool.require_unlocked().authenticate(mount_record(after))

        def work(transaction: Transaction) -> None:
            if not self._store.change(transaction, before, after, tag=tag):
                raise Conflict

        act = _act("kms.disable_mount", actor, before)
        self._parts.transactions.restrict(work, Restriction("key", before.id, act))
        return after

    def restore_mount(self, actor: Actor, mount_id: str) -> Mount:
        """Bring a mount that was taken away back under its path; raise ``MountInUse``."""
        self._parts.access.require(actor, MOUNT_CHANGE, f"mount:{mount_id}")
        custody = self._pool.require_unlocked()

        def work(transaction: Transaction) -> Mount:
            # a row that somebody wrote could name the product's own mount
            before = self._names.retired(transaction, actor.org_id, mount_id)
            if self._store.find(transaction, actor.org_id, before.path) is not None:
                msg = f"path is already in use at {before.path}/"
                raise MountInUse(msg)
            after = replace(before, retired_at=0)
            tag = custody.authenticate(mount_record(after))
            if not self._store.change(transaction, before, after, tag=tag):
                raise Conflict
            self._parts.revocations.restore(transaction, "key", after.id)
            transaction.record(_act("kms.restore_mount", actor, after))
            return after

        return self._parts.transactions.run(work)

    def list_mounts(self, actor: Actor, *, retired: bool = False) -> Sequence[Mount]:
        """Return the mounts made by the organisation: in use, or taken away, by path."""
        self._parts.access.require(actor, KEY_READ)
        return self._parts.transactions.read(
            lambda tx: self._store.in_use(tx, actor.org_id, retired=retired)
        )

    def get_mount(self, actor: Actor, path: str) -> Mount:
        """Return the mount at ``path``; raise ``MountNotFound``."""
        self._parts.access.require(actor, KEY_READ)
        if path == DEFAULT_MOUNT:
            return Mount(DEFAULT_MOUNT, actor.org_id, DEFAULT_MOUNT, "", 0)
        return self._find(actor.org_id, path)

    def _find(self, org_id: str, path: str) -> Mount:
        return self._parts.transactions.read(lambda tx: self._names.find(tx, org_id, path))


def _act(action: str, actor: Actor, mount: Mount) -> Act:
    return Act(action, actor, f"mount:{mount.id}", details={"path": mount.path})
