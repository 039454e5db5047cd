"""The product's own keys: tokens, checkpoints, reports, keyed hashes.

They lie in a mount of their own in the root organisation; no route, command or grant leads
there. The bridges hand out what they need and nothing else. Their use makes no leaf here:
what they sign is recorded by whoever signs (a token's issue, a checkpoint's append).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kms.core.gbt35276 import enveloped_keys
from kms.errors.keys import KeyNotFound
from kms.models.keys import SYSTEM_MOUNT, KeyRequest, LoadedKey
from kms.service.key_maker import KeyMaker
from kms.service.key_ring import KeyRing
from secops.crypto import ciphers, hashes, signatures, sm2
from secops.crypto.errors import DecryptionFailed
from secops.crypto.options import DEFAULT, SignatureOptions
from secops.kernel.actors import ROOT_ORG, Actor, system_actor
from secops.kernel.errors import Conflict
from secops.kernel.parts import Parts
from secops.kernel.trail import Act
from secops.kernel.transactions import Transaction

_KID_LENGTH: Final = 16
_VERSION_LENGTH: Final = 4
_SM4_KEY: Final = 16


@dataclass(frozen=True, slots=True)
class SystemPublicKey:
    """One version's public key. ``kid`` is the start of ``fingerprint``, SHA-256 of the SPKI."""

    version: int
    der: bytes
    algorithm: str
    created_at: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SPKI, hex."""
        return hashes.sha256(self.der).hex()

    @property
    def kid(self) -> str:
        """The first 16 hex digits of the fingerprint."""
        return self.fingerprint[:_KID_LENGTH]


class SystemSigner:
    """Signs with the latest version of one system key. Safe in any number of threads."""

    def __init__(self, ring: KeyRing, name: str) -> None:
        self._ring = ring
        self._name = name

    def sign(self, message: bytes, options: SignatureOptions = DEFAULT) -> bytes:
        """Return the signature: DER for SM2 and ECDSA; raise ``PoolLocked`` while locked."""
        loaded = self._load()
        return self._ring.private_key(loaded, loaded.key.latest_version).sign(message, options)

    def sign_as(self, version: int, message: bytes) -> bytes:
        """Return the signature by ``version``; raise ``Conflict`` if it counts no more.

        A new version may be published before it signs, so this need not be the latest.
        """
        loaded = self._load()
        if version not in loaded.versions or version < loaded.key.min_decryption_version:
            msg = "this version of the key signs no more"
            raise Conflict(msg)
        return self._ring.private_key(loaded, version).sign(message, DEFAULT)

    def sign_raw(self, message: bytes) -> bytes:
        """Return the signature as r ‖ s, the form of JWS (RFC 7518 §3.4)."""
        return signatures.to_raw(self.algorithm, self.sign(message))

    @property
    def algorithm(self) -> str:
        """The key's type, e.g. ``ecdsa-p256``."""
        return self._load().key.kind.algorithm

    @property
    def public_key_der(self) -> bytes:
        """SPKI of the latest version."""
        return self.public_keys()[-1].der

    @property
    def kid(self) -> str:
        """The latest version's key id."""
        return self.public_keys()[-1].kid

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the latest version's SPKI, hex."""
        return self.public_keys()[-1].fingerprint

    def public_keys(self) -> Sequence[SystemPublicKey]:
        """Return the public keys of all versions that still count, oldest first."""
        loaded = self._load()
        first = loaded.key.min_decryption_version
        return [
            SystemPublicKey(number, row.public_key, loaded.key.kind.algorithm, row.created_at)
            for number, row in sorted(loaded.versions.items())
            if number >= first
        ]

    def _load(self) -> LoadedKey:
        return self._ring.own.usable(self._name)


class SystemBox:
    """Encrypts under the latest version of one system key. Safe in any number of threads."""

    def __init__(self, parts: Parts, ring: KeyRing, name: str) -> None:
        self._parts = parts
        self._ring = ring
        self._name = name

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        """Return version ‖ nonce ‖ ciphertext ‖ tag, bound to ``aad``."""
        loaded = self._ring.own.usable(self._name)
        version = loaded.key.latest_version
        sealed = ciphers.seal(
            loaded.key.kind.algorithm,
            self._ring.material(loaded, version),
            self._parts.randomness.bytes(ciphers.NONCE),
            plaintext,
            aad=aad,
        )
        return version.to_bytes(_VERSION_LENGTH, "big") + sealed

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        """Return what was sealed with the same ``aad``; raise where a byte was changed."""
        loaded = self._ring.own.usable(self._name)
        version = int.from_bytes(sealed[:_VERSION_LENGTH], "big")
        if version not in loaded.versions:
            raise DecryptionFailed
        material = self._ring.material(loaded, version)
        algorithm = loaded.key.kind.algorithm
        return ciphers.unseal(algorithm, material, sealed[_VERSION_LENGTH:], aad=aad)


class SystemKeys:
    """Makes and hands out the product's own keys."""

    def __init__(self, parts: Parts, ring: KeyRing, maker: KeyMaker) -> None:
        self._parts = parts
        self._ring = ring
        self._maker = maker

    def signer(self, name: str, key_type: str) -> SystemSigner:
        """Return the signer called ``name``, made on first use."""
        self._ensure(KeyRequest(name, key_type, SYSTEM_MOUNT))
        return SystemSigner(self._ring, name)

    def existing_signer(self, name: str) -> SystemSigner:
        """Return the signer called ``name``; its use raises ``KeyNotFound`` if there is none."""
        return SystemSigner(self._ring, name)

    def keyed_hash(self, name: str, hash_name: str = "sha256") -> Callable[[bytes], bytes]:
        """Return HMAC under the key called ``name``, made on first use."""
        self._ensure(KeyRequest(name, "hmac", SYSTEM_MOUNT))

        def keyed(data: bytes) -> bytes:
            loaded = self._ring.own.usable(name)
            # always version 1: another key would make every stored hash wrong
            return hashes.keyed(hash_name, self._ring.material(loaded, 1), data)

        return keyed

    def box(self, name: str, key_type: str = "aes256-gcm96") -> SystemBox:
        """Return what encrypts under the key called ``name``, made on first use."""
        self._ensure(KeyRequest(name, key_type, SYSTEM_MOUNT))
        return SystemBox(self._parts, self._ring, name)

    def hand_over(self, name: str, receiver: sm2.PublicKey) -> bytes:
        """Return the latest version of the SM2 key ``name`` as SM2EnvelopedKey for ``receiver``."""
        loaded = self._ring.own.usable(name)
        material = self._ring.material(loaded, loaded.key.latest_version)
        once = self._parts.randomness.bytes(_SM4_KEY)
        return enveloped_keys.enveloped_key(
            receiver.encrypt(once),
            sm2.PrivateKey(material).public_key.point,
            ciphers.sm4_blocks(once, enveloped_keys.private_scalar(material)),
        )

    def rotate_signer(self, name: str) -> None:
        """Add a version; the old one's public key stays listed."""
        before = self._parts.transactions.read(lambda tx: self._ring.own.read(tx, name)).key
        after = replace(before, latest_version=before.latest_version + 1)
        version = self._maker.new_version(after, after.latest_version)

        def work(transaction: Transaction) -> None:
            self._maker.add_version(transaction, before, after, version)
            transaction.record(
                Act(
                    "kms.rotate_key",
                    system_actor("kms"),
                    f"key:{after.id}",
                    details={"version": version.version},
                )
            )

        self._parts.transactions.run(work)

    def destroy_signer(self, transaction: Transaction, actor: Actor, name: str) -> bool:
        """Erase the signer's key for good; False if there is none (any more)."""
        try:
            before = self._ring.own.read(transaction, name).key
        except KeyNotFound:
            return False
        if before.state == "destroyed":
            return False
        self._maker.erase(transaction, before)
        details = {"name": before.name, "versions": before.latest_version}
        transaction.record(Act("kms.destroy_key", actor, f"key:{before.id}", details=details))
        return True

    def forget(self) -> None:
        """Let go of what this process holds of keys in memory."""
        self._ring.forget()

    def _ensure(self, request: KeyRequest) -> None:
        try:
            loaded = self._ring.own.load(request.name)
        except KeyNotFound:
            self._create(request)
            return
        if loaded.key.type != request.type:
            msg = f"the system key {request.name} is of type {loaded.key.type}"
            raise Conflict(msg)

    def _create(self, request: KeyRequest) -> None:
        key = self._maker.new_key(ROOT_ORG, request)
        version = self._maker.new_version(key, 1)
        details = {"name": key.name, "type": key.type, "mount": key.mount}

        def work(transaction: Transaction) -> None:
            # False: another process made it meanwhile, and its key is the one
            if self._maker.insert(transaction, key, version):
                act = Act("kms.create_key", system_actor("kms"), f"key:{key.id}", details=details)
                transaction.record(act)

        self._parts.transactions.run(work)


class PoolSealingKeys:
    """Keys of seals and of the built-in CA, among the product's own keys."""

    def __init__(self, system_keys: SystemKeys) -> None:
        self._system_keys = system_keys

    def destroy_key(self, transaction: Transaction, actor: Actor, name: str) -> bool:
        """Erase the key ``name`` for good; False if there is none (any more)."""
        return self._system_keys.destroy_signer(transaction, actor, name)

    def forget(self) -> None:
        """Let go of what this process holds of keys in memory."""
        self._system_keys.forget()

    def hand_over(self, name: str, receiver: bytes) -> bytes:
        """Return the SM2 key ``name`` as SM2EnvelopedKey for the SM2 key ``receiver`` (SPKI)."""
        return self._system_keys.hand_over(name, sm2.PublicKey(receiver))

    def ensure_key(self, name: str, algorithm: str = "sm2") -> bytes:
        """Return the SPKI of the key ``name``, made if there is none."""
        return self._system_keys.signer(name, algorithm).public_key_der

    def sign(self, name: str, message: bytes, options: SignatureOptions = DEFAULT) -> bytes:
        """Return the signature of ``message``: DER for SM2 and ECDSA, by ``options`` for RSA."""
        return self._system_keys.existing_signer(name).sign(message, options)
