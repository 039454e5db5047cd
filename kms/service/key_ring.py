"""Keys ready for use: rows checked against their tags, material unwrapped and kept.

A row is trusted for at most a second or until the revocation epoch moves, so that a
rotation, a grant taken away or a raised minimum holds everywhere within a second. The
unwrapped objects are kept by the bytes they were wrapped in, and forgotten at lock.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from kms.core.keys.binding import grant_record, key_record, version_record, wrapping_context
from kms.core.keys.lifecycle import demand_active
from kms.errors.backends import BackendUnsupported
from kms.errors.keys import KeyDestroyed, KeyNotFound, KeySuspended, MaterialTampered
from kms.models.backends import SOFTWARE, HeldObject
from kms.models.keys import DEFAULT_MOUNT, SYSTEM_MOUNT, Key, KeyVersion, LoadedKey
from kms.ports.backends import Cipher
from kms.ports.keys import Custody, KeyStores
from kms.service.backends.objects import BackendObjects
from kms.service.custody import Pool
from kms.service.kept import keep
from kms.service.mounts import MountNames
from kms.service.tenants import Tenants
from secops.crypto import ciphers, signatures
from secops.crypto.engines import require_engine
from secops.kernel.actors import ROOT_ORG
from secops.kernel.parts import Parts
from secops.kernel.transactions import Transaction
from secops.kernel.waiting import Renewal

_TRUSTED_SECONDS: Final = 1.0
_ENGINES: Final = {**ciphers.ENGINES, **signatures.ENGINES, "hmac": "hmac"}

Place = tuple[str, str, str]
"""Organisation, path of the mount, name."""


@dataclass(frozen=True, slots=True)
class _Entry:
    loaded: LoadedKey
    epoch: int
    until: float
    renewal: Renewal


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """The product's own keys; no caller's path leads to them."""

    loading: Callable[[Place], LoadedKey]
    demanding: Callable[[LoadedKey], LoadedKey]
    reading: Callable[[Transaction, Place], LoadedKey]

    def usable(self, name: str) -> LoadedKey:
        """Return the key if it may be used now."""
        return self.demanding(self.load(name))

    def load(self, name: str) -> LoadedKey:
        """Return the key as it is stored."""
        return self.loading((ROOT_ORG, SYSTEM_MOUNT, name))

    def read(self, transaction: Transaction, name: str) -> LoadedKey:
        """Return the key as it is inside a unit of work."""
        return self.reading(transaction, (ROOT_ORG, SYSTEM_MOUNT, name))


class KeyRing:
    """Loads keys and their material. Safe in any number of threads."""

    def __init__(
        self,
        parts: Parts,
        pool: Pool,
        stores: KeyStores,
        objects: BackendObjects,
    ) -> None:
        self._parts = parts
        self._tenants = Tenants(parts)
        self.mounts = MountNames(pool, stores.mounts, self._tenants)
        self._index = stores.index
        self.own = OwnKeys(self._load, self._demand_usable, self._read_here)
        self._pool = pool
        self._store = stores.keys
        self._backends = objects.backends
        self._objects = objects
        self._entries: dict[Place, _Entry] = {}
        self._private: dict[bytes, signatures.PrivateKey] = {}
        self._public: dict[tuple[str, bytes], signatures.PublicKey] = {}
        self._symmetric: dict[bytes, bytes] = {}
        self._sealers: dict[bytes, ciphers.Sealer] = {}

    def usable(self, org_id: str, name: str, *, mount: str) -> LoadedKey:
        """Return the key if it may be used now; raise what stands against it."""
        return self._demand_usable(self.load(org_id, name, mount=mount))

    def load(self, org_id: str, name: str, *, mount: str) -> LoadedKey:
        """Return the key as it is stored; raise ``KeyNotFound`` or ``MaterialTampered``."""
        _refuse_own(mount, name)
        self._tenants.demand_open(org_id)
        return self._load((org_id, mount, name))

    def _demand_usable(self, loaded: LoadedKey) -> LoadedKey:
        key, revoked = loaded.key, self._parts.revocations.is_revoked
        # an engine that failed since is refused for keys that were opened before, too
        require_engine(_ENGINES[key.kind.algorithm])
        require_engine("hash")  # of what is signed, and of what the ledger says about it
        demand_active(key)
        if revoked("key", key.id) or (key.mount != DEFAULT_MOUNT and revoked("key", key.mount)):
            msg = f"the key {key.name} is suspended"
            raise KeySuspended(msg)
        return loaded

    def _load(self, place: Place) -> LoadedKey:
        custody = self._unlocked()
        epoch, now = self._parts.revocations.epoch, self._parts.clock.monotonic()
        entry = self._entries.get(place)
        good = entry is not None and entry.epoch == epoch and now < entry.until
        if entry is not None and good and not entry.renewal.is_mine(now):
            return entry.loaded
        loaded = self._parts.transactions.read(lambda tx: self._read(tx, custody, place))
        renewal = Renewal(now + _TRUSTED_SECONDS / 2)
        keep(self._entries, place, _Entry(loaded, epoch, now + _TRUSTED_SECONDS, renewal))
        return loaded

    def read(self, transaction: Transaction, place: Place) -> LoadedKey:
        """Return the key as it is inside a unit of work."""
        _refuse_own(place[1], place[2])
        self._tenants.demand_open(place[0])
        return self._read(transaction, self._unlocked(), place)

    def read_by_id(self, transaction: Transaction, key_id: str) -> LoadedKey | None:
        """Return the key with this identifier, wherever it lies, inside a unit of work."""
        found = self._index.find_by_id(transaction, key_id)
        return None if found is None else self._checked(transaction, self._unlocked(), found)

    def private_key(self, loaded: LoadedKey, version: int) -> signatures.PrivateKey:
        """Return the private key of ``version``."""
        row = _version(loaded, version)
        found = self._private.get(row.wrapped)
        if found is None:
            found = self._private_key(loaded.key, row)
            keep(self._private, row.wrapped, found)
        return found

    def public_key(self, loaded: LoadedKey, version: int) -> signatures.PublicKey:
        """Return the public key of ``version``."""
        row = _version(loaded, version)
        algorithm = loaded.key.kind.algorithm
        found = self._public.get((algorithm, row.public_key))
        if found is None:
            found = signatures.public_key(algorithm, row.public_key)
            keep(self._public, (algorithm, row.public_key), found)
        return found

    def material(self, loaded: LoadedKey, version: int) -> bytes:
        """Return the unwrapped bytes of ``version``: a symmetric key, or PKCS#8."""
        row = _version(loaded, version)
        if row.backend != SOFTWARE:
            msg = f"the material of {loaded.key.name} stays in {row.backend}"
            raise BackendUnsupported(msg)
        found = self._symmetric.get(row.wrapped)
        if found is None:
            found = self._open(loaded.key, row)
            keep(self._symmetric, row.wrapped, found)
        return found

    def sealer(self, loaded: LoadedKey, version: int) -> ciphers.Sealer:
        """Return ``version`` of a symmetric key held here, ready to encrypt."""
        row = _version(loaded, version)
        found = self._sealers.get(row.wrapped)
        if found is None:
            material = self.material(loaded, version)
            found = ciphers.Sealer(loaded.key.kind.algorithm, material)
            keep(self._sealers, row.wrapped, found)
        return found

    def cipher(self, loaded: LoadedKey, version: int) -> Cipher | None:
        """Return what encrypts in a backend; None where ``material`` is to be had here."""
        row = _version(loaded, version)
        if row.backend == SOFTWARE:
            return None
        return self._backends.cipher(row.backend, self._objects.held(loaded.key, row))

    def forget(self) -> None:
        """Drop everything that was unwrapped."""
        self._entries.clear()
        self._private.clear()
        self._symmetric.clear()
        self._sealers.clear()

    def _read_here(self, transaction: Transaction, place: Place) -> LoadedKey:
        return self._read(transaction, self._unlocked(), place)

    def _unlocked(self) -> Custody:
        try:
            return self._pool.require_unlocked()
        except Exception:
            self.forget()
            raise

    def _private_key(self, key: Key, row: KeyVersion) -> signatures.PrivateKey:
        if row.backend != SOFTWARE:
            return self._backends.private_key(row.backend, self._objects.held(key, row))
        context = wrapping_context(key, row.version)
        held = HeldObject(key.kind.algorithm, row.wrapped, row.public_key, context)
        return self._backends.software.private_key(held)

    def _open(self, key: Key, row: KeyVersion) -> bytes:
        return self._unlocked().unwrap(row.wrapped, wrapping_context(key, row.version))

    def _read(self, transaction: Transaction, custody: Custody, place: Place) -> LoadedKey:
        org_id, mount, name = place
        if mount != SYSTEM_MOUNT:
            mount = self.mounts.identifier(transaction, org_id, mount)
        found = self._store.find(transaction, org_id, mount=mount, name=name)
        if found is None:
            msg = f"there is no key {name[:64]!r}"
            raise KeyNotFound(msg)
        return self._checked(transaction, custody, found)

    def _checked(
        self, transaction: Transaction, custody: Custody, found: tuple[Key, bytes]
    ) -> LoadedKey:
        key, tag = found
        _demand_tag(custody, key_record(key), tag)
        versions: dict[int, KeyVersion] = {}
        for version, version_tag in self._store.versions(transaction, key.id):
            _demand_tag(custody, version_record(version), version_tag)
            versions[version.version] = version
        grants = {}
        for grant, grant_tag in self._store.grants(transaction, key.id):
            _demand_tag(custody, grant_record(grant), grant_tag)
            grants[grant.subject] = grant.operations
        if key.state != "destroyed":
            _demand_complete(key, versions)
        return LoadedKey(key, versions, grants)


def _refuse_own(mount: str, name: str) -> None:
    """No caller's path leads to the product's own keys."""
    if mount == SYSTEM_MOUNT:
        msg = f"there is no key {name[:64]!r}"
        raise KeyNotFound(msg)


def _demand_tag(custody: Custody, record: bytes, tag: bytes) -> None:
    if not hmac.compare_digest(custody.authenticate(record), tag):
        msg = "a stored key record does not belong to this pool's root key"
        raise MaterialTampered(msg)


def _demand_complete(key: Key, versions: Iterable[int]) -> None:
    first = max(key.min_available_version, 1)
    if set(versions) != set(range(first, key.latest_version + 1)):
        msg = f"versions of the key {key.name} are missing or too many"
        raise MaterialTampered(msg)


def _version(loaded: LoadedKey, version: int) -> KeyVersion:
    row = loaded.versions.get(version)
    if row is None:
        msg = f"the material of version {version} of {loaded.key.name} is gone"
        raise KeyDestroyed(msg)
    return row


def read_now(parts: Parts, ring: KeyRing, place: Place) -> LoadedKey:
    """Return the key as it is, not as it was a second ago: who changed it looks at it next."""
    return parts.transactions.read(lambda tx: ring.read(tx, place))
