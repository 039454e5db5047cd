"""How versions of keys are made: material, wrapping, tags.

For users' keys and for the product's own alike.
"""

from __future__ import annotations

from dataclasses import replace

from kms.core.keys import lifecycle
from kms.core.keys.binding import grant_record, key_record, version_record, wrapping_context
from kms.errors.backends import BackendDraining, BackendUnsupported
from kms.models.backends import SOFTWARE, KeyWish, NewObject
from kms.models.keys import SYSTEM_MOUNT, Key, KeyGrant, KeyRequest, KeyVersion
from kms.ports.keys import KeyStore
from kms.service.backends.objects import BackendObjects
from kms.service.custody import Pool
from kms.service.limits import KeyLimiter
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction


class KeyMaker:
    """Makes keys and their versions."""

    def __init__(
        self,
        parts: Parts,
        pool: Pool,
        store: KeyStore,
        objects: BackendObjects,
        *,
        limiter: KeyLimiter,
    ) -> None:
        self._parts = parts
        self.limiter = limiter
        self._pool = pool
        self._store = store
        self._backends = objects.backends
        self._objects = objects

    def new_key(self, org_id: str, request: KeyRequest) -> Key:
        """Return a key with a new id; raise ``Invalid`` for a bad name or type."""
        lifecycle.check_request(request)
        now = self._parts.clock.now()
        key = Key(
            id=self._parts.ids.new("key"),
            org_id=org_id,
            mount=request.mount,
            name=request.name,
            type=request.type,
            created_at=now,
            exportable=request.exportable,
            derived=request.derived,
            convergent_encryption=request.convergent_encryption,
            allow_plaintext_backup=request.allow_plaintext_backup,
            auto_rotate_period=request.auto_rotate_period,
        )
        key = replace(key, next_rotation_at=lifecycle.next_rotation(key, now))
        if key.mount == SYSTEM_MOUNT and not key.kind.signs:
            return key  # its material is needed here: boxes and keyed hashes
        return self._at(key, self._backends.place(_wish(key), request.backend))

    def new_version(self, key: Key, version: int) -> KeyVersion:
        """Return fresh material, wrapped. Takes milliseconds: never inside a unit of work."""
        self._pool.require_unlocked()
        if key.backend != SOFTWARE:
            return self._objects.make(key, version)
        wish = NewObject(key.kind.algorithm, "", wrapping_context(key, version))
        made = self._backends.software.generate(wish)
        return KeyVersion(key.id, version, self._parts.clock.now(), made.public_key, made.reference)

    def brought_version(self, key: Key, version: int, material: bytes) -> KeyVersion:
        """Return ``material`` that was made elsewhere as a version, wrapped; in software."""
        wish = NewObject(key.kind.algorithm, "", wrapping_context(key, version))
        self._pool.require_unlocked()
        made = self._backends.software.generate(wish, material)
        return KeyVersion(key.id, version, self._parts.clock.now(), made.public_key, made.reference)

    def placed(self, key: Key, wanted: str = "") -> Key:
        """Return ``key`` with the backend of its next version: another if its own is drained."""
        if not wanted and (key.backend == SOFTWARE or self._backends.takes(key.backend)):
            return key
        backend = self._backends.place(_wish(key), wanted)
        if backend == SOFTWARE and not wanted:
            # out of a device into software is somebody's decision, never a default
            msg = f"the backends {key.backend} take no new keys: name where {key.name} moves to"
            raise BackendDraining(msg)
        return self._at(key, backend)

    def insert(self, transaction: Transaction, key: Key, version: KeyVersion) -> bool:
        """Store a new key with its first version; False if the name is taken."""
        custody = self._pool.require_unlocked()
        if not self._store.insert(transaction, key, custody.authenticate(key_record(key))):
            return False
        return self.insert_version(transaction, key, version)

    def insert_version(self, transaction: Transaction, key: Key, version: KeyVersion) -> bool:
        """Store one more version; False if it is there, ``QuotaExceeded`` for one too many."""
        tag = self._pool.require_unlocked().authenticate(version_record(version))
        if not self._store.insert_version(transaction, key, version, tag=tag):
            return False
        if version.backend != SOFTWARE:
            self._objects.settle(transaction, version)
        if key.mount != SYSTEM_MOUNT:
            self.limiter.demand_room(transaction, key.org_id)
        return True

    def add_version(
        self, transaction: Transaction, before: Key, after: Key, version: KeyVersion
    ) -> None:
        """Put ``after`` and its new version where ``before`` stands; raise ``Conflict``."""
        self.update(transaction, before, after)
        if not self.insert_version(transaction, after, version):
            raise Conflict

    def update(self, transaction: Transaction, before: Key, after: Key) -> None:
        """Put ``after`` where ``before`` stands; raise ``Conflict`` if it has changed."""
        tag = self._pool.require_unlocked().authenticate(key_record(after))
        if not self._store.update(transaction, before, after, tag=tag):
            msg = f"the key {before.name} was changed by somebody else just now"
            raise Conflict(msg)

    def erase(self, transaction: Transaction, before: Key) -> None:
        """Destroy a key: its row stays, all its material is gone."""
        self.update(transaction, before, lifecycle.destroyed(before))
        self._store.erase_versions(transaction, before.id, None)

    def put_grant(self, transaction: Transaction, key: Key, grant: KeyGrant) -> None:
        """Store or replace what a subject may do with ``key``."""
        tag = self._pool.require_unlocked().authenticate(grant_record(grant))
        self._store.put_grant(transaction, key, grant, tag=tag)

    def _at(self, key: Key, backend: str) -> Key:
        if backend != SOFTWARE and (key.exportable or key.derived or key.allow_plaintext_backup):
            msg = "a key in a token is neither exported, backed up nor derived from"
            raise BackendUnsupported(msg)
        return replace(key, backend=backend)


def _wish(key: Key) -> KeyWish:
    return KeyWish(key.type, key.kind.algorithm, key.mount, key.org_id)
