"""How versions of keys are made: material, wrapping, tags.

For users' keys and for the product's own alike.
"""

from __future__ import annotations

from typing import Final

from kms.core.keys import lifecycle
from kms.core.keys.binding import grant_record, key_record, version_record, wrapping_context
from kms.models.keys import Key, KeyGrant, KeyRequest, KeyVersion
from kms.ports.keys import KeyStore
from kms.service.custody import Pool
from secops.crypto import ciphers, signatures
from secops.crypto.engines import require_engine
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction

_HMAC_LENGTH: Final = 32


class KeyMaker:
    """Makes keys and their versions."""

    def __init__(self, parts: Parts, pool: Pool, store: KeyStore) -> None:
        self._parts = parts
        self._pool = pool
        self._store = store

    def new_key(self, org_id: str, request: KeyRequest) -> Key:
        """Return a key with a new id; raise ``Invalid`` for a bad name or type."""
        lifecycle.check_name(request.name)
        lifecycle.check_name(request.mount)
        kind = lifecycle.key_type(request.type)
        return Key(
            id=self._parts.ids.new("key"),
            org_id=org_id,
            mount=request.mount,
            name=request.name,
            type=kind.name,
            created_at=self._parts.clock.now(),
            exportable=request.exportable,
        )

    def new_version(self, key: Key, version: int) -> KeyVersion:
        """Return fresh material, wrapped. Takes milliseconds: never inside a unit of work."""
        custody = self._pool.require_unlocked()
        material, public = self._material(key)
        wrapped = custody.wrap(material, wrapping_context(key, version))
        return KeyVersion(key.id, version, self._parts.clock.now(), public, wrapped)

    def insert(self, transaction: Transaction, key: Key, version: KeyVersion) -> bool:
        """Store a new key with its first version; False if the name is taken."""
        custody = self._pool.require_unlocked()
        if not self._store.insert(transaction, key, custody.authenticate(key_record(key))):
            return False
        return self.insert_version(transaction, key, version)

    def insert_version(self, transaction: Transaction, key: Key, version: KeyVersion) -> bool:
        """Store one more version; False if it is there."""
        tag = self._pool.require_unlocked().authenticate(version_record(version))
        return self._store.insert_version(transaction, key, version, tag=tag)

    def update(self, transaction: Transaction, before: Key, after: Key) -> None:
        """Put ``after`` where ``before`` stands; raise ``Conflict`` if it has changed."""
        tag = self._pool.require_unlocked().authenticate(key_record(after))
        if not self._store.update(transaction, before, after, tag=tag):
            msg = f"the key {before.name} was changed by somebody else just now"
            raise Conflict(msg)

    def put_grant(self, transaction: Transaction, key: Key, grant: KeyGrant) -> None:
        """Store or replace what a subject may do with ``key``."""
        tag = self._pool.require_unlocked().authenticate(grant_record(grant))
        self._store.put_grant(transaction, key, grant, tag=tag)

    def _material(self, key: Key) -> tuple[bytes, bytes]:
        kind = key.kind
        if kind.signs:
            pkcs8 = signatures.generate(kind.algorithm)
            return pkcs8, signatures.private_key(kind.algorithm, pkcs8).public_key.der
        require_engine("hmac" if kind.name == "hmac" else _engine_of(kind.algorithm))
        length = ciphers.KEY_LENGTHS.get(kind.algorithm, _HMAC_LENGTH)
        return self._parts.randomness.bytes(length), b""


def _engine_of(cipher: str) -> str:
    return "sm4-gcm" if cipher == "sm4-gcm" else "aes-gcm"
