"""Use of keys in Transit's words: sign, verify, encrypt, decrypt, HMAC.

Sans-IO: every use returns its act, and whoever answers makes the act durable first. A
use is allowed by the role (``kms.key.use``) and by a grant of this key for this operation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kms.core.keys import lifecycle
from kms.core.transit import requests, texts
from kms.models.keys import DEFAULT_MOUNT, LoadedKey, Operation
from kms.service.key_ring import KeyRing
from kms.service.keys import subject_of
from kms.service.limits import KeyLimiter
from secops.crypto import ciphers, hashes, sm2
from secops.crypto.errors import InvalidSignature
from secops.kernel.actors import Actor
from secops.kernel.errors import Invalid
from secops.kernel.parts import Parts
from secops.kernel.permissions.kms import KEY_USE
from secops.kernel.trail import Act

_DATA_KEY_BITS: Final = frozenset({128, 256, 512})

Fields = Mapping[str, Any]
"""A request's JSON fields, in Transit's words."""


@dataclass(frozen=True, slots=True)
class Produced:
    """What a key made: ``text`` is ``vault:v<N>:…``; ``act`` must be durable before it goes out."""

    text: str
    key_version: int
    act: Act


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A signature as bytes: DER for SM2 and ECDSA."""

    signature: bytes
    key_version: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted plaintext."""

    plaintext: bytes
    act: Act

    @property
    def text(self) -> str:
        """The plaintext in Base64."""
        return texts.encode_base64(self.plaintext)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a signature or HMAC is of the input. A malformed one raises instead."""

    valid: bool
    act: Act


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh key under a pool key; ``plaintext`` (Base64) only where it was asked for."""

    plaintext: str | None
    produced: Produced


class Transit:
    """Uses keys for callers."""

    def __init__(self, parts: Parts, ring: KeyRing, limiter: KeyLimiter) -> None:
        self._parts = parts
        self._ring = ring
        self._limiter = limiter

    def sign(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Produced:
        """Sign ``input``; SM2 hashes with ZA unless ``prehashed``."""
        loaded = self._granted(actor, name, mount, "sign")
        key = loaded.key
        request = requests.signature_request(key, fields, path_hash)
        message = texts.decode_base64(fields.get("input"), "input")
        version = lifecycle.producing_version(key, request.key_version)
        signature = self._ring.private_key(loaded, version).sign(message, request.options)
        payload = texts.marshal_signature(key.kind.algorithm, signature, request.marshaling)
        details = {
            "version": version,
            "type": key.type,
            "prehashed": request.options.prehashed,
            "input_sha256": hashes.sha256(message).hex(),
        }
        act = Act("kms.sign", actor, f"key:{key.id}", details=details)
        return Produced(texts.write_text(version, payload), version, act)

    def verify(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Verdict:
        """Tell whether ``signature`` or ``hmac`` is of ``input``."""
        if fields.get("hmac"):
            return self._verify_hmac(actor, name, fields, mount=mount, path_hash=path_hash)
        loaded = self._granted(actor, name, mount, "verify")
        key = loaded.key
        lifecycle.demand_support(key, "sign")
        request = requests.signature_request(key, fields, path_hash)
        message = texts.decode_base64(fields.get("input"), "input")
        number, payload = texts.read_text(fields.get("signature"), "signature")
        version = lifecycle.consuming_version(key, number)
        algorithm = key.kind.algorithm
        signature = texts.unmarshal_signature(algorithm, payload, request.marshaling)
        try:
            self._ring.public_key(loaded, version).verify(signature, message, request.options)
            valid = True
        except InvalidSignature:
            valid = False
        return Verdict(valid, _read_act("kms.verify", actor, loaded, message, valid=valid))

    def encrypt(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Produced:
        """Encrypt ``plaintext``, bound to ``associated_data``."""
        requests.refuse_derivation(fields)
        loaded = self._granted(actor, name, mount, "encrypt")
        plaintext = texts.decode_base64(fields.get("plaintext"), "plaintext")
        version = lifecycle.producing_version(loaded.key, requests.version_wanted(fields))
        sealed = self._seal(loaded, version, plaintext, requests.associated_data(fields))
        text = texts.write_text(version, texts.encode_base64(sealed))
        act = _read_act("kms.encrypt", actor, loaded, sealed, valid=True)
        return Produced(text, version, act)

    def decrypt(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Opened:
        """Decrypt ``ciphertext``; raise ``DecryptionFailed`` for anything changed."""
        requests.refuse_derivation(fields)
        loaded = self._granted(actor, name, mount, "decrypt")
        sealed, plaintext = self._unseal(loaded, fields)
        act = _read_act("kms.decrypt", actor, loaded, sealed, valid=True)
        return Opened(plaintext, act)

    def rewrap(
        self, actor: Actor, name: str, fields: Fields, *, mount: str = DEFAULT_MOUNT
    ) -> Produced:
        """Encrypt ``ciphertext`` anew under the latest version; the plaintext stays here."""
        requests.refuse_derivation(fields)
        loaded = self._granted(actor, name, mount, "encrypt")
        _, plaintext = self._unseal(loaded, fields)
        version = lifecycle.producing_version(loaded.key, requests.version_wanted(fields))
        sealed = self._seal(loaded, version, plaintext, requests.associated_data(fields))
        act = _read_act("kms.rewrap", actor, loaded, sealed, valid=True)
        return Produced(texts.write_text(version, texts.encode_base64(sealed)), version, act)

    def make_data_key(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        kind: str = "plaintext",
    ) -> DataKey:
        """Make a data key of ``bits`` 128, 256 (default) or 512, encrypted under the key.

        ``kind`` is ``plaintext`` or ``wrapped``: the latter keeps the plaintext here.
        """
        if kind not in ("plaintext", "wrapped"):
            msg = "a data key is asked for as plaintext or wrapped"
            raise Invalid(msg)
        requests.refuse_derivation(fields)
        loaded = self._granted(actor, name, mount, "encrypt")
        bits = fields.get("bits", 256)
        if bits not in _DATA_KEY_BITS or isinstance(bits, bool):
            msg = "bits is 128, 256 or 512"
            raise Invalid(msg)
        plaintext = self._parts.randomness.bytes(bits // 8)
        version = lifecycle.producing_version(loaded.key, requests.version_wanted(fields))
        sealed = self._seal(loaded, version, plaintext, requests.associated_data(fields))
        act = _read_act("kms.make_data_key", actor, loaded, sealed, valid=True)
        text = texts.write_text(version, texts.encode_base64(sealed))
        shown = texts.encode_base64(plaintext) if kind == "plaintext" else None
        return DataKey(shown, Produced(text, version, act))

    def hmac(
        self,
        actor: Actor,
        name: str,
        fields: Fields,
        *,
        mount: str = DEFAULT_MOUNT,
        path_hash: str | None = None,
    ) -> Produced:
        """Return the HMAC of ``input``."""
        loaded = self._granted(actor, name, mount, "hmac")
        message = texts.decode_base64(fields.get("input"), "input")
        version = lifecycle.producing_version(loaded.key, requests.version_wanted(fields))
        tag = self._hmac(loaded, version, message, requests.hmac_hash(fields, path_hash))
        act = _read_act("kms.hmac", actor, loaded, message, valid=True)
        return Produced(texts.write_text(version, texts.encode_base64(tag)), version, act)

    def sign_bytes(self, actor: Actor, name: str, message: bytes) -> SignedBytes:
        """Sign ``message`` with default options; the leaf is durable when this returns.

        For callers without a lane that records for them, e.g. the command line.
        """
        made = self.sign(actor, name, {"input": texts.encode_base64(message)})
        self._parts.trail.append([made.act])
        _, payload = texts.read_text(made.text, "signature")
        return SignedBytes(texts.decode_base64(payload, "signature"), made.key_version)

    def verify_bytes(self, actor: Actor, name: str, message: bytes, signature: bytes) -> int | None:
        """Return the version that made ``signature`` (DER) over ``message``; None if none did."""
        key = self._granted(actor, name, DEFAULT_MOUNT, "verify").key
        encoded = {"input": texts.encode_base64(message)}
        payload = texts.encode_base64(signature)
        for version in range(key.latest_version, key.min_decryption_version - 1, -1):
            fields = {**encoded, "signature": texts.write_text(version, payload)}
            verdict = self.verify(actor, name, fields)
            self._parts.trail.append([verdict.act])
            if verdict.valid:
                return version
        return None

    def _verify_hmac(
        self, actor: Actor, name: str, fields: Fields, *, mount: str, path_hash: str | None
    ) -> Verdict:
        loaded = self._granted(actor, name, mount, "verify")
        message = texts.decode_base64(fields.get("input"), "input")
        number, payload = texts.read_text(fields.get("hmac"), "hmac")
        version = lifecycle.consuming_version(loaded.key, number)
        claimed = texts.decode_base64(payload, "hmac")
        hash_name = requests.hmac_hash(fields, path_hash)
        material = self._hmac_key(loaded, version)
        try:
            hashes.verify_keyed(hash_name, material, message, tag=claimed)
            valid = True
        except InvalidSignature:
            valid = False
        return Verdict(valid, _read_act("kms.verify", actor, loaded, message, valid=valid))

    def _granted(self, actor: Actor, name: str, mount: str, operation: Operation) -> LoadedKey:
        self._parts.access.require(actor, KEY_USE, f"key:{name}")
        loaded = self._ring.usable(actor.org_id, name, mount=mount)
        lifecycle.demand_operation(loaded, operation, subject_of(actor))
        self._limiter.demand(actor, loaded.key)
        return loaded

    def _seal(self, loaded: LoadedKey, version: int, plaintext: bytes, aad: bytes) -> bytes:
        cipher = self._ring.cipher(loaded, version)
        if cipher is not None:
            return cipher.seal(plaintext, aad)
        if loaded.key.kind.signs:
            _refuse_associated_data(aad)
            return sm2.PublicKey(loaded.versions[version].public_key).encrypt(plaintext)
        nonce = self._parts.randomness.bytes(ciphers.NONCE)
        material = self._ring.material(loaded, version)
        return ciphers.seal(loaded.key.kind.algorithm, material, nonce, plaintext, aad=aad)

    def _unseal(self, loaded: LoadedKey, fields: Fields) -> tuple[bytes, bytes]:
        number, payload = texts.read_text(fields.get("ciphertext"), "ciphertext")
        version = lifecycle.consuming_version(loaded.key, number)
        sealed = texts.decode_base64(payload, "ciphertext")
        aad = requests.associated_data(fields)
        cipher = self._ring.cipher(loaded, version)
        if cipher is not None:
            return sealed, cipher.unseal(sealed, aad)
        material = self._ring.material(loaded, version)
        if loaded.key.kind.signs:
            _refuse_associated_data(aad)
            return sealed, sm2.PrivateKey(material).decrypt(sealed)
        algorithm = loaded.key.kind.algorithm
        return sealed, ciphers.unseal(algorithm, material, sealed, aad=aad)

    def _hmac(self, loaded: LoadedKey, version: int, message: bytes, hash_name: str) -> bytes:
        return hashes.keyed(hash_name, self._hmac_key(loaded, version), message)

    def _hmac_key(self, loaded: LoadedKey, version: int) -> bytes:
        material = self._ring.material(loaded, version)
        if loaded.key.type == "hmac":
            return material
        # never the key itself: each use has a key of its own
        return hashes.derive("sha256", material, length=32, info=b"kms transit hmac v1")


def _refuse_associated_data(aad: bytes) -> None:
    if aad:
        msg = "SM2 encryption has no associated data"
        raise Invalid(msg)


def _read_act(action: str, actor: Actor, loaded: LoadedKey, data: bytes, *, valid: bool) -> Act:
    """Return the leaf of a bulk use: digest of the input or ciphertext, never its content."""
    details = {"sha256": hashes.sha256(data).hex(), "valid": valid}
    return Act(action, actor, f"key:{loaded.key.id}", details=details)
