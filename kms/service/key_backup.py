"""Backup of single keys and their restore: sealed under a pool key, for one mount."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kms.core.keys.backup import (
    KeyBackup,
    backup_context,
    read_backup,
    restored,
    write_backup,
)
from kms.core.keys.lifecycle import check_name, demand_kept
from kms.core.transit.texts import decode_base64, encode_base64
from kms.errors.keys import (
    BackupDisallowed,
    RestoreExists,
    RestoreRefused,
)
from kms.models.backends import SOFTWARE
from kms.models.keys import DEFAULT_MOUNT, Key, KeyVersion, LoadedKey
from kms.ports.keys import KeyStores
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from kms.service.system_keys import SystemBox, SystemKeys
from secops.crypto.errors import DecryptionFailed
from secops.crypto.hashes import sha256
from secops.kernel.actors import Actor
from secops.kernel.errors import Conflict, Invalid, TooLarge
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_BACKUP
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_BOX: Final = "key-backups"
MAX_BACKUP: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """The sealed backup as text; ``act`` must be durable before it goes out."""

    text: str
    act: Act


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A backup to be restored: as ``name`` ("" the one it had), over itself with ``force``."""

    backup: str
    name: str = ""
    mount: str = DEFAULT_MOUNT
    force: bool = False


def read_backup_file(path: Path) -> str:
    """Return the backup that ``backup-key`` wrote; raise ``Invalid`` for anything else."""
    with path.open("rb") as stream:
        content = stream.read(MAX_BACKUP + 1)
    try:
        return content.decode("ascii").strip()
    except UnicodeDecodeError as error:
        msg = f"{path} is no backup of a key"
        raise Invalid(msg) from error


class KeyBackups:
    """Backs keys up and brings them back."""

    def __init__(
        self,
        parts: Parts,
        ring: KeyRing,
        maker: KeyMaker,
        system_keys: SystemKeys,
        stores: KeyStores,
    ) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._system_keys = system_keys
        self._stores = stores

    def backup_key(self, actor: Actor, name: str, *, mount: str = DEFAULT_MOUNT) -> MadeBackup:
        """Return the key with all versions, sealed; raise ``BackupDisallowed``."""
        self._parts.access.require(actor, KEY_BACKUP, f"key:{name}")
        # as it is now: a version of a second ago may be missing from what is kept in memory
        loaded = self._fresh(actor.org_id, mount, name)
        key = loaded.key
        demand_kept(key)
        if not key.exportable:
            msg = "exporting is disallowed on the policy"
            raise BackupDisallowed(msg)
        if not key.allow_plaintext_backup:
            raise BackupDisallowed
        materials = {number: self._ring.material(loaded, number) for number in loaded.versions}
        content = write_backup(key, loaded.versions, materials)
        sealed = self._box().seal(content, backup_context(key.org_id, key.mount))
        details = {"versions": sorted(materials), "sha256": sha256(sealed).hex()}
        act = Act("kms.backup_key", actor, f"key:{key.id}", details=details)
        return MadeBackup(encode_base64(sealed), act)

    def record(self, made: MadeBackup) -> None:
        """Make the leaf of a backup durable, for callers without a lane that records for them."""
        self._parts.trail.append([made.act])

    def restore_key(self, actor: Actor, request: RestoreRequest) -> LoadedKey:
        """Bring a key back from its backup; raise ``RestoreExists`` or ``RestoreRefused``."""
        self._parts.access.require(actor, KEY_BACKUP, f"key:{request.name or 'restore'}")
        if len(request.backup) > MAX_BACKUP:
            msg = f"a backup has at most {MAX_BACKUP} bytes"
            raise TooLarge(msg)
        sealed = decode_base64(request.backup, "backup")
        mount = self._mount_id(actor.org_id, request.mount)
        backup = self._opened(sealed, actor.org_id, mount)
        name = request.name or backup.key.name
        check_name(name)
        current = self._current(backup.key.id)
        suspended = self._parts.revocations.is_revoked("key", backup.key.id)
        coming = restored(backup, current, suspended=suspended, now=self._parts.clock.now())
        coming = self._placed(coming, name, mount, copied=current is not None)
        existing = self._existing(actor.org_id, mount, name)
        if existing is not None:
            return self._over_itself(request, backup.key, existing)
        versions = [self._version(coming, at) for at in range(len(coming.versions))]

        def work(transaction: Transaction) -> None:
            self._ring.mounts.demand_same(transaction, actor.org_id, request.mount, mount)
            # what was decided about the key a moment ago holds for what comes back
            found = self._stores.index.find_by_id(transaction, backup.key.id)
            if (None if found is None else found[0]) != current:
                raise Conflict
            key = self._maker.limiter.carry(transaction, backup.key, coming.key)
            if not self._maker.insert(transaction, key, versions[0]):
                raise RestoreExists
            for version in versions[1:]:
                self._maker.insert_version(transaction, coming.key, version)
            details = {
                "name": name,
                "from": backup.key.id,
                "versions": [version.version for version in versions],
                "sha256": sha256(sealed).hex(),
            }
            target = f"key:{coming.key.id}"
            transaction.record(Act("kms.restore_key", actor, target, details=details))

        self._parts.transactions.run(work)
        return self._fresh(actor.org_id, request.mount, name)

    def _over_itself(self, request: RestoreRequest, key: Key, existing: Key) -> LoadedKey:
        """Over a key that is there nothing is put: it has all that the backup has, or more."""
        if not request.force:
            msg = f"the key {existing.name} already exists"
            raise RestoreExists(msg)
        if existing.id != key.id:
            msg = f"the backup is of another key than {existing.name}"
            raise RestoreRefused(msg)
        if existing.latest_version > key.latest_version:
            msg = f"{existing.name} has newer versions than the backup: they would be lost"
            raise RestoreRefused(msg)
        return self._fresh(existing.org_id, request.mount, existing.name)

    def _opened(self, sealed: bytes, org_id: str, mount: str) -> KeyBackup:
        try:
            content = self._box().open(sealed, backup_context(org_id, mount))
        except DecryptionFailed as error:
            msg = "the backup is not of this pool, organisation and mount, or was changed"
            raise Invalid(msg) from error
        return read_backup(content)

    def _placed(self, coming: KeyBackup, name: str, mount: str, *, copied: bool) -> KeyBackup:
        # a copy beside the living key is a key of its own
        identifier = self._parts.ids.new("key") if copied else coming.key.id
        key = replace(coming.key, id=identifier, name=name, mount=mount, backend=SOFTWARE)
        return KeyBackup(key, coming.versions)

    def _version(self, coming: KeyBackup, at: int) -> KeyVersion:
        row = coming.versions[at]
        made = self._maker.brought_version(coming.key, row.version, row.material)
        return replace(made, created_at=row.created_at)

    def _current(self, key_id: str) -> Key | None:
        loaded = self._parts.transactions.read(lambda tx: self._ring.read_by_id(tx, key_id))
        return None if loaded is None else loaded.key

    def _existing(self, org_id: str, mount: str, name: str) -> Key | None:
        found = self._parts.transactions.read(
            lambda tx: self._stores.keys.find(tx, org_id, mount=mount, name=name)
        )
        return None if found is None else found[0]

    def _mount_id(self, org_id: str, path: str) -> str:
        return self._parts.transactions.read(
            lambda tx: self._ring.mounts.identifier(tx, org_id, path)
        )

    def _fresh(self, org_id: str, mount: str, name: str) -> LoadedKey:
        return read_now(self._parts, self._ring, (org_id, mount, name))

    def _box(self) -> SystemBox:
        return self._system_keys.box(_BOX)
