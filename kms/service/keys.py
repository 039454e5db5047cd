"""Keys: create, see, rotate, configure. Who makes a key never uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kms.core.keys import lifecycle
from kms.errors.keys import KeyExists, KeyNotFound
from kms.models.keys import DEFAULT_MOUNT, Key, KeyRequest, KeyVersion, LoadedKey
from kms.ports.keys import KeyStores
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.pages import Page, PageRequest, page_of
from secops.kernel.parts import Parts
from secops.kernel.permissions import Permission
from secops.kernel.permissions.kms import (
    KEY_CONFIGURE,
    KEY_CREATE,
    KEY_DESTROY,
    KEY_READ,
    KEY_READ_ALL,
    KEY_ROTATE,
)
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction


class Keys:
    """The pool's keys, and what others than the security administrator see of them."""

    def __init__(self, parts: Parts, ring: KeyRing, maker: KeyMaker, stores: KeyStores) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._store = stores.keys
        self._index = stores.index

    def create_key(self, actor: Actor, request: KeyRequest) -> LoadedKey:
        """Make a key, or return it if it exists with this type (as Vault does)."""
        self._parts.access.require(actor, KEY_CREATE, f"key:{request.name}")
        mount = self._mount_id(actor.org_id, request.mount)
        key = self._maker.new_key(actor.org_id, replace(request, mount=mount))
        version = self._maker.new_version(key, 1)

        def work(transaction: Transaction) -> bool:
            self._ring.mounts.demand_same(transaction, actor.org_id, request.mount, mount)
            if not self._maker.insert(transaction, key, version):
                return False
            details = {
                "name": key.name,
                "type": key.type,
                "mount": key.mount,
                **describe_version_made(version),
            }
            transaction.record(Act("kms.create_key", actor, f"key:{key.id}", details=details))
            return True

        made = self._parts.transactions.run(work)
        loaded = self._fresh(actor.org_id, request.name, request.mount)
        # a destroyed one's name stays taken: an old signature must never verify under another key
        lifecycle.demand_kept(loaded.key)
        if not made and loaded.key.type != request.type:
            msg = f"the key {request.name} exists with type {loaded.key.type}"
            raise KeyExists(msg)
        return loaded

    def get_key(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> LoadedKey:
        """Return a key the actor may see; an integrator sees only granted ones."""
        self._parts.access.require(actor, KEY_READ, f"key:{name}")
        loaded = self._fresh(actor.org_id, name, mount)
        if not _sees(actor, loaded):
            msg = f"there is no key {name[:64]!r}"
            raise KeyNotFound(msg)
        return loaded

    def list_keys(
        self, actor: Actor, request: PageRequest, *, mount: str = DEFAULT_MOUNT
    ) -> Page[Key]:
        """Return the organisation's keys by name; an integrator gets granted ones only."""
        self._parts.access.require(actor, KEY_READ)
        subject = _seen_as(actor)

        def read(transaction: Transaction) -> Sequence[Key]:
            identifier = self._ring.mounts.identifier(transaction, actor.org_id, mount)
            return self._store.page(
                transaction, actor.org_id, mount=identifier, request=request, subject=subject
            )

        rows = self._parts.transactions.read(read)
        return page_of(rows, request.limit, [(key.name,) for key in rows])

    def list_key_names(self, actor: Actor, *, mount: str = DEFAULT_MOUNT) -> Sequence[str]:
        """Return the names of all keys the actor may see that are not destroyed, sorted."""
        self._parts.access.require(actor, KEY_READ)
        subject = _seen_as(actor)

        def read(transaction: Transaction) -> Sequence[str]:
            identifier = self._ring.mounts.identifier(transaction, actor.org_id, mount)
            return self._index.names(transaction, actor.org_id, mount=identifier, subject=subject)

        return self._parts.transactions.read(read)

    def rotate_key(
        self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT, backend: str = ""
    ) -> LoadedKey:
        """Add a version; what older ones made stays good until the minimum is raised.

        It is made in ``backend``, else where the latest is, else, if that is drained, where
        the placement rules say.
        """
        before = self._manage(actor, KEY_ROTATE, name, mount)
        after = self._maker.placed(lifecycle.rotated(before, self._parts.clock.now()), backend)
        version = self._maker.new_version(after, after.latest_version)

        def work(transaction: Transaction) -> None:
            self._maker.add_version(transaction, before, after, version)
            transaction.record(
                Act(
                    "kms.rotate_key",
                    actor,
                    f"key:{after.id}",
                    details=describe_version_made(version),
                )
            )

        self._parts.transactions.run(work)
        return self._fresh(actor.org_id, name, mount)

    def configure_key(
        self,
        actor: Actor,
        name: str,
        changes: Mapping[str, object],
        *,
        mount: str = DEFAULT_MOUNT,
    ) -> LoadedKey:
        """Change minimum versions, the rotation period, and what the key allows."""
        before = self._manage(actor, KEY_CONFIGURE, name, mount)
        after = lifecycle.configured(before, changes, self._parts.clock.now())

        def work(transaction: Transaction) -> None:
            self._maker.update(transaction, before, after)
            details = {word: changes[word] for word in sorted(changes) if hasattr(after, word)}
            transaction.record(Act("kms.configure_key", actor, f"key:{after.id}", details=details))

        self._parts.transactions.run(work)
        return self._fresh(actor.org_id, name, mount)

    def trim_key(
        self, actor: Actor, name: str, minimum: int, *, mount: str = DEFAULT_MOUNT
    ) -> LoadedKey:
        """Erase the material of versions below ``minimum`` for good."""
        before = self._manage(actor, KEY_DESTROY, name, mount)
        after = lifecycle.trimmed(before, minimum)

        def work(transaction: Transaction) -> None:
            self._maker.update(transaction, before, after)
            self._store.erase_versions(transaction, after.id, minimum)
            details = {"min_available_version": minimum}
            transaction.record(Act("kms.trim_key", actor, f"key:{after.id}", details=details))

        self._parts.transactions.run(work)
        return self._fresh(actor.org_id, name, mount)

    def _mount_id(self, org_id: str, path: str) -> str:
        return self._parts.transactions.read(
            lambda tx: self._ring.mounts.identifier(tx, org_id, path)
        )

    def _manage(self, actor: Actor, permission: Permission, name: str, mount: str) -> Key:
        self._parts.access.require(actor, permission, f"key:{name}")
        return self._fresh(actor.org_id, name, mount).key

    def _fresh(self, org_id: str, name: str, mount: str) -> LoadedKey:
        return read_now(self._parts, self._ring, (org_id, mount, name))


def _sees(actor: Actor, loaded: LoadedKey) -> bool:
    subject = _seen_as(actor)
    return subject is None or subject in loaded.grants


def _seen_as(actor: Actor) -> str | None:
    """Return whose grants decide what ``actor`` sees; None for one who sees all."""
    return None if actor.may(KEY_READ_ALL) else subject_of(actor)


def subject_of(actor: Actor) -> str:
    """Return ``account:ID`` or ``client:ID``, the words of a grant."""
    return f"{actor.kind}:{actor.id}"


def describe_version_made(version: KeyVersion) -> dict[str, Any]:
    """Return what a leaf tells of a new version: its number, and its public key's digest."""
    found = {"version": version.version}
    if version.public_key:
        return {**found, "public_key_sha256": sha256(version.public_key).hex()}
    return dict(found)
