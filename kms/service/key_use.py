"""What is done with a key that may be used: one item in Transit's words, without asking again.

Whoever calls has asked role, grant and limits (``service.transit``), and makes the leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from kms.core.keys import lifecycle
from kms.core.transit import requests, texts
from kms.core.transit.derivation import DerivedKeys, derive_keys
from kms.core.transit.requests import SignatureRequest
from kms.errors.keys import OperationUnsupported
from kms.models.backends import SOFTWARE
from kms.models.keys import LoadedKey
from kms.service.key_ring import KeyRing
from secops.crypto import ciphers, hashes, rsa, signatures, sm2
from secops.crypto.errors import InvalidSignature
from secops.kernel.errors import Invalid
from secops.kernel.ids import Randomness

_DATA_KEY_BITS: Final = frozenset({128, 256, 512})

Fields = Mapping[str, Any]
"""A request's JSON fields, in Transit's words."""


@dataclass(slots=True)
class Used:
    """What a key made of one item; ``digest`` is SHA-256 of what it worked on, for the leaf."""

    text: str
    key_version: int
    digest: bytes
    valid: bool = True
    plaintext: bytes = b""


class KeyUse:
    """Works with loaded keys. Safe in any number of threads."""

    def __init__(self, ring: KeyRing, randomness: Randomness) -> None:
        self._ring = ring
        self._randomness = randomness

    def sign(self, loaded: LoadedKey, fields: Fields, request: SignatureRequest) -> Used:
        """Sign ``input``; SM2 hashes with ZA unless ``prehashed``."""
        key = loaded.key
        message = texts.decode_base64(fields.get("input"), "input")
        version = lifecycle.producing_version(key, request.key_version)
        digest = sha256(message).digest()
        private, options = self._ring.private_key(loaded, version), request.options
        algorithm = key.kind.algorithm
        if request.digest_options is not None and loaded.versions[version].backend == SOFTWARE:
            signature = private.sign(digest, request.digest_options)
        else:
            signature = private.sign(message, options)
        payload = texts.marshal_signature(algorithm, signature, request.marshaling)
        return Used(texts.write_text(version, payload), version, digest)

    def plain_signer(
        self, loaded: LoadedKey, request: SignatureRequest
    ) -> Callable[[Fields], Used]:
        """Return what signs items that wish nothing of their own: ``sign``, looked up once."""
        version = lifecycle.producing_version(loaded.key, request.key_version)
        options = request.digest_options
        here = loaded.versions[version].backend == SOFTWARE
        if options is None or not here or request.marshaling != "asn1":
            return lambda fields: self.sign(loaded, fields, request)
        private, mark = self._ring.private_key(loaded, version), texts.write_text(version, "")

        def sign(fields: Fields) -> Used:
            message = texts.decode_base64(fields.get("input"), "input")
            digest = sha256(message).digest()
            signature = private.sign(digest, options)
            return Used(mark + texts.encode_base64(signature), version, digest)

        return sign

    def verify(self, loaded: LoadedKey, fields: Fields, path_hash: str | None) -> Used:
        """Tell whether ``signature`` or ``hmac`` is of ``input``."""
        if fields.get("hmac"):
            return self._verify_hmac(loaded, fields, path_hash)
        key = loaded.key
        lifecycle.demand_support(key, "sign")
        request = requests.signature_request(key, fields, path_hash)
        message = texts.decode_base64(fields.get("input"), "input")
        number, payload = texts.read_text(fields.get("signature"), "signature")
        version = lifecycle.consuming_version(key, number)
        algorithm = key.kind.algorithm
        signature = texts.unmarshal_signature(algorithm, payload, request.marshaling)
        used = Used("", version, sha256(message).digest())
        try:
            self._ring.public_key(loaded, version).verify(signature, message, request.options)
        except InvalidSignature:
            used.valid = False
        return used

    def encrypt(self, loaded: LoadedKey, fields: Fields) -> Used:
        """Encrypt ``plaintext``, bound to ``associated_data``, under ``context``'s key."""
        order = requests.sm2_ciphertext_order(loaded.key, fields)
        plaintext = texts.decode_base64(fields.get("plaintext"), "plaintext")
        return self._encrypted(loaded, fields, plaintext, order)

    def decrypt(self, loaded: LoadedKey, fields: Fields) -> Used:
        """Decrypt ``ciphertext``; raise ``DecryptionFailed`` for anything changed."""
        key = loaded.key
        context = requests.derivation_context(key, fields)
        number, payload = texts.read_text(fields.get("ciphertext"), "ciphertext")
        version = lifecycle.consuming_version(key, number)
        sealed = texts.decode_base64(payload, "ciphertext")
        order = requests.sm2_ciphertext_order(key, fields)
        if order is not None:
            sealed = sm2.raw_to_ciphertext(sealed, order)
        aad = requests.associated_data(fields)
        plaintext = self._unseal(loaded, version, sealed, aad, context)
        return Used("", version, sha256(sealed).digest(), plaintext=plaintext)

    def rewrap(self, loaded: LoadedKey, fields: Fields) -> Used:
        """Encrypt ``ciphertext`` anew under the latest version; the plaintext stays here."""
        # the wanted version is of what is made, not of what is opened
        return self._encrypted(loaded, fields, self.decrypt(loaded, fields).plaintext)

    def make_data_key(self, loaded: LoadedKey, fields: Fields) -> Used:
        """Make a data key of ``bits`` 128, 256 (default) or 512, encrypted under the key."""
        bits = fields.get("bits", 256)
        if bits not in _DATA_KEY_BITS or isinstance(bits, bool):
            msg = "bits is 128, 256 or 512"
            raise Invalid(msg)
        plaintext = self._randomness.bytes(bits // 8)
        made = self._encrypted(loaded, fields, plaintext)
        made.plaintext = plaintext
        return made

    def hmac(self, loaded: LoadedKey, fields: Fields, path_hash: str | None) -> Used:
        """Return the HMAC of ``input``."""
        message = texts.decode_base64(fields.get("input"), "input")
        version = lifecycle.producing_version(loaded.key, requests.version_wanted(fields))
        hash_name = requests.hmac_hash(fields, path_hash)
        tag = hashes.keyed(hash_name, self.hmac_key(loaded, version), message)
        text = texts.write_text(version, texts.encode_base64(tag))
        return Used(text, version, sha256(message).digest())

    def hmac_key(self, loaded: LoadedKey, version: int) -> bytes:
        """Return the key of ``version``'s HMACs: never the key itself, where it has another use."""
        material = self._ring.material(loaded, version)
        if loaded.key.type == "hmac":
            return material
        return hashes.derive("sha256", material, length=32, info=b"kms transit hmac v1")

    def _verify_hmac(self, loaded: LoadedKey, fields: Fields, path_hash: str | None) -> Used:
        message = texts.decode_base64(fields.get("input"), "input")
        number, payload = texts.read_text(fields.get("hmac"), "hmac")
        version = lifecycle.consuming_version(loaded.key, number)
        claimed = texts.decode_base64(payload, "hmac")
        hash_name = requests.hmac_hash(fields, path_hash)
        used = Used("", version, sha256(message).digest())
        try:
            hashes.verify_keyed(hash_name, self.hmac_key(loaded, version), message, tag=claimed)
        except InvalidSignature:
            used.valid = False
        return used

    def _encrypted(
        self,
        loaded: LoadedKey,
        fields: Fields,
        plaintext: bytes,
        order: sm2.CiphertextOrder | None = None,
    ) -> Used:
        key = loaded.key
        context = requests.derivation_context(key, fields)
        version = lifecycle.producing_version(key, requests.version_wanted(fields))
        aad = requests.associated_data(fields)
        sealed = self._seal(loaded, version, plaintext, aad, context)
        if order is not None:
            sealed = sm2.ciphertext_to_raw(sealed, order)
        text = texts.write_text(version, texts.encode_base64(sealed))
        return Used(text, version, sha256(sealed).digest())

    def _seal(
        self,
        loaded: LoadedKey,
        version: int,
        plaintext: bytes,
        aad: bytes,
        context: bytes | None,
    ) -> bytes:
        key = loaded.key
        cipher = self._ring.cipher(loaded, version)
        if cipher is not None:
            return cipher.seal(plaintext, aad)
        if key.kind.signs:
            _refuse_associated_data(aad)
            return self._seal_to_public(loaded, version, plaintext)
        if context is None:
            nonce = self._randomness.bytes(ciphers.NONCE)
            return self._ring.sealer(loaded, version).seal(nonce, plaintext, aad)
        derived = derive_keys(key, self._ring.material(loaded, version), context)
        nonce = self._nonce(loaded, derived, plaintext, aad)
        return ciphers.seal(key.kind.algorithm, derived.cipher_key, nonce, plaintext, aad=aad)

    def _nonce(
        self, loaded: LoadedKey, derived: DerivedKeys, plaintext: bytes, aad: bytes
    ) -> bytes:
        if loaded.key.convergent_encryption:
            return derived.nonce(plaintext, aad)
        return self._randomness.bytes(ciphers.NONCE)

    def _rsa(self, loaded: LoadedKey, version: int) -> rsa.PrivateKey:
        # kept by the ring: reading an RSA key checks its primes, which takes longer than its use
        return rsa_key(self._ring.private_key(loaded, version))

    def _seal_to_public(self, loaded: LoadedKey, version: int, plaintext: bytes) -> bytes:
        spki = loaded.versions[version].public_key
        if loaded.key.type == "sm2":
            return sm2.PublicKey(spki).encrypt(plaintext)
        return rsa.PublicKey(spki).encrypt(plaintext)

    def _unseal(
        self,
        loaded: LoadedKey,
        version: int,
        sealed: bytes,
        aad: bytes,
        context: bytes | None,
    ) -> bytes:
        key = loaded.key
        cipher = self._ring.cipher(loaded, version)
        if cipher is not None:
            return cipher.unseal(sealed, aad)
        if key.kind.signs:
            _refuse_associated_data(aad)
            return self._unseal_privately(loaded, version, sealed)
        if context is None:
            return self._ring.sealer(loaded, version).unseal(sealed, aad)
        derived = derive_keys(key, self._ring.material(loaded, version), context)
        return ciphers.unseal(key.kind.algorithm, derived.cipher_key, sealed, aad=aad)

    def _unseal_privately(self, loaded: LoadedKey, version: int, sealed: bytes) -> bytes:
        if loaded.key.type == "sm2":
            return sm2.PrivateKey(self._ring.material(loaded, version)).decrypt(sealed)
        return self._rsa(loaded, version).decrypt(sealed)


def rsa_key(key: signatures.PrivateKey) -> rsa.PrivateKey:
    """Return ``key``; raise ``OperationUnsupported`` unless it is an RSA key held here."""
    if not isinstance(key, rsa.PrivateKey):
        msg = "only RSA keys held in software decrypt by OAEP"
        raise OperationUnsupported(msg)
    return key


def _refuse_associated_data(aad: bytes) -> None:
    if aad:
        msg = "encryption to a public key has no associated data"
        raise Invalid(msg)
