"""Key material for identity without a key pool: real P-256, AES-GCM and HMAC in memory."""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from iam.errors import MandateRefused
from iam.ports import IamPorts, SigningKey
from secops.crypto.sm2 import PrivateKey
from secops.kernel.errors import Conflict, Invalid, Unavailable


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


class FakeTokenSigner:
    """Signs with the newest of its keys; ``rotate`` makes a new one, ``locked`` refuses."""

    def __init__(self) -> None:
        self.private = [ec.generate_private_key(ec.SECP256R1())]
        self.locked = False
        self.renewed_before = 0

    def rotate(self) -> None:
        self.private.insert(0, ec.generate_private_key(ec.SECP256R1()))

    def renew(self, before: int) -> bool:
        self.renewed_before = before
        return False

    def keys(self) -> list[SigningKey]:
        return [SigningKey(str(id(key)), _spki(key)) for key in self.private]

    def sign(self, name: str, message: bytes) -> bytes:
        if self.locked:
            raise Unavailable
        key = next(key for key in self.private if str(id(key)) == name)
        return key.sign(message, ec.ECDSA(hashes.SHA256()))


class FakeSm2TokenSigner:
    """Signs with the newest of its SM2 keys."""

    def __init__(self) -> None:
        self.private = [PrivateKey.generate()]

    def rotate(self) -> None:
        self.private.insert(0, PrivateKey.generate())

    def renew(self, before: int) -> bool:
        return before < 0

    def keys(self) -> list[SigningKey]:
        return [SigningKey(str(id(key)), key.public_key.der) for key in self.private]

    def sign(self, name: str, message: bytes) -> bytes:
        found = [key for key in self.private if str(id(key)) == name]
        if not found:
            raise Conflict
        return found[0].sign(message)


class FakeSecretBox:
    def __init__(self) -> None:
        self._aead = AESGCM(bytes(range(32)))

    def seal(self, plaintext: bytes, aad: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, plaintext, aad)

    def open(self, sealed: bytes, aad: bytes) -> bytes:
        try:
            return self._aead.decrypt(sealed[:12], sealed[12:], aad)
        except InvalidTag as error:
            raise Invalid from error


class FakeMandateSigner:
    """Signs mandates with a P-256 key in memory; ``locked`` refuses."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.locked = False

    def sign_mandate(self, message: bytes) -> bytes:
        if self.locked:
            raise Unavailable
        return self._key.sign(message, ec.ECDSA(hashes.SHA256()))

    def verify_mandate(self, message: bytes, signature: bytes) -> None:
        try:
            self._key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise MandateRefused from error


def fake_keyed_hash(content: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(b"pool").digest(), content, "sha256")


def fake_iam_ports(
    signer: FakeTokenSigner | None = None, sm2_signer: FakeSm2TokenSigner | None = None
) -> IamPorts:
    return IamPorts(
        signer or FakeTokenSigner(),
        FakeSecretBox(),
        fake_keyed_hash,
        mandate_signer=FakeMandateSigner(),
        sm2_token_signer=sm2_signer,
    )
