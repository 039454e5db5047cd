"""ML-DSA-65 (FIPS 204): a signature that a quantum computer can't forge. Hashes inside."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import SignatureOptions


class PublicKey:
    """An ML-DSA-65 public key."""

    def __init__(self, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` otherwise."""
        self._key: MLDSA65PublicKey = read_public(spki, MLDSA65PublicKey)
        self.der = write_public(self._key)

    def verify(self, signature: bytes, message: bytes, _options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            self._key.verify(signature, message)
        except _Wrong as error:
            raise InvalidSignature from error


class PrivateKey:
    """An ML-DSA-65 private key."""

    def __init__(self, pkcs8: bytes) -> None:
        """Read ``pkcs8``; raise ``InvalidKey`` otherwise."""
        self._key: MLDSA65PrivateKey = read_private(pkcs8, MLDSA65PrivateKey)
        self.der = pkcs8
        self.public_key = PublicKey(write_public(self._key.public_key()))

    def sign(self, message: bytes, _options: SignatureOptions) -> bytes:
        """Return the signature of ``message``, 3,309 bytes."""
        return self._key.sign(message)


def generate() -> bytes:
    """Return a new private key as PKCS#8."""
    return write_private(MLDSA65PrivateKey.generate())
