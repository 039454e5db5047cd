"""Keys made elsewhere (BYOK), as Vault's import takes them: wrapped for our wrapping key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from kms.core.keys import lifecycle
from kms.core.keys.brought import check_material
from kms.errors.keys import KeyExists
from kms.models.keys import DEFAULT_MOUNT, KeyRequest, LoadedKey
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing, read_now
from kms.service.key_use import rsa_key
from kms.service.keys import describe_version_made
from kms.service.system_keys import SystemKeys
from secops.crypto.errors import DecryptionFailed
from secops.crypto.key_transport import unwrap_key
from secops.crypto.pem import to_pem
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_CREATE, KEY_ROTATE
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_WRAPPING_TYPE: Final = "rsa-4096"
MAX_WRAPPED: Final = 1 << 14
HASHES: Final = {"SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}


@dataclass(frozen=True, slots=True)
class WrappedMaterial:
    """RSA-OAEP (by ``hash_name``) and AES-KWP around a key for our wrapping key."""

    content: bytes
    hash_name: str = "sha256"


class KeyImport:
    """Takes in keys that were made elsewhere."""

    def __init__(
        self, parts: Parts, ring: KeyRing, maker: KeyMaker, system_keys: SystemKeys
    ) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker
        self._system_keys = system_keys

    def get_wrapping_key(self, actor: Actor) -> str:
        """Return the public key (PEM, RSA of 4,096 bits) that an organisation's keys come under."""
        self._parts.access.require(actor, KEY_CREATE, "key:import")
        signer = self._system_keys.signer(_wrapping_key(actor.org_id), _WRAPPING_TYPE)
        return to_pem("PUBLIC KEY", signer.public_key_der)

    def import_key(
        self,
        actor: Actor,
        request: KeyRequest,
        wrapped: WrappedMaterial,
        *,
        allow_rotation: bool = False,
    ) -> LoadedKey:
        """Make a key of brought material; raise ``KeyExists`` where the name is taken."""
        self._parts.access.require(actor, KEY_CREATE, f"key:{request.name}")
        path = request.mount
        mount = self._parts.transactions.read(
            lambda tx: self._ring.mounts.identifier(tx, actor.org_id, path)
        )
        key = self._maker.new_key(actor.org_id, replace(request, mount=mount, backend="software"))
        key = replace(key, imported=True, allow_rotation=allow_rotation)
        material = self._unwrapped(actor.org_id, wrapped)
        check_material(key.kind, material)
        version = self._maker.brought_version(key, 1, material)

        def work(transaction: Transaction) -> None:
            self._ring.mounts.demand_same(transaction, actor.org_id, path, mount)
            if not self._maker.insert(transaction, key, version):
                msg = f"the key {key.name} exists"
                raise KeyExists(msg)
            details = {"name": key.name, "type": key.type, "mount": key.mount}
            details |= describe_version_made(version)
            transaction.record(Act("kms.import_key", actor, f"key:{key.id}", details=details))

        self._parts.transactions.run(work)
        return read_now(self._parts, self._ring, (actor.org_id, path, key.name))

    def import_key_version(
        self, actor: Actor, name: str, wrapped: WrappedMaterial, *, mount: str = DEFAULT_MOUNT
    ) -> LoadedKey:
        """Give an imported key a version of brought material."""
        self._parts.access.require(actor, KEY_ROTATE, f"key:{name}")
        place = (actor.org_id, mount, name)
        before = read_now(self._parts, self._ring, place).key
        if not before.imported:
            msg = f"the key {name} was made here: rotate it"
            raise Invalid(msg)
        material = self._unwrapped(actor.org_id, wrapped)
        check_material(before.kind, material)
        after = lifecycle.with_version(before, self._parts.clock.now())
        version = self._maker.brought_version(after, after.latest_version, material)

        def work(transaction: Transaction) -> None:
            self._maker.add_version(transaction, before, after, version)
            details = describe_version_made(version)
            act = Act("kms.import_key_version", actor, f"key:{after.id}", details=details)
            transaction.record(act)

        self._parts.transactions.run(work)
        return read_now(self._parts, self._ring, place)

    def _unwrapped(self, org_id: str, wrapped: WrappedMaterial) -> bytes:
        if len(wrapped.content) > MAX_WRAPPED:
            msg = f"a wrapped key has at most {MAX_WRAPPED} bytes"
            raise Invalid(msg)
        name = _wrapping_key(org_id)
        self._system_keys.signer(name, _WRAPPING_TYPE)
        loaded = self._ring.own.usable(name)
        key = rsa_key(self._ring.private_key(loaded, loaded.key.latest_version))
        try:
            return unwrap_key(key, wrapped.content, wrapped.hash_name)
        except DecryptionFailed as error:
            # one answer for every defect: which step failed would be an oracle
            msg = "the wrapped key can't be opened by the wrapping key"
            raise Invalid(msg) from error


def _wrapping_key(org_id: str) -> str:
    """Each organisation has its own: who overhears a wrapped key can't import it elsewhere."""
    return f"key-import.{org_id}"
