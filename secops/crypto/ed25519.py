"""Ed25519 (RFC 8032): hashes inside, so options don't apply."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import SignatureOptions


class PublicKey:
    """An Ed25519 public key."""

    def __init__(self, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` otherwise."""
        self._key: Ed25519PublicKey = read_public(spki, Ed25519PublicKey)
        self.der = write_public(self._key)

    def verify(self, signature: bytes, message: bytes, _options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            self._key.verify(signature, message)
        except _Wrong as error:
            raise InvalidSignature from error


class PrivateKey:
    """An Ed25519 private key."""

    def __init__(self, pkcs8: bytes) -> None:
        """Read ``pkcs8``; raise ``InvalidKey`` otherwise."""
        self._key: Ed25519PrivateKey = read_private(pkcs8, Ed25519PrivateKey)
        self.der = pkcs8
        self.public_key = PublicKey(write_public(self._key.public_key()))

    def sign(self, message: bytes, _options: SignatureOptions) -> bytes:
        """Return the 64-byte signature of ``message``."""
        return self._key.sign(message)


def generate() -> bytes:
    """Return a new private key as PKCS#8."""
    return write_private(Ed25519PrivateKey.generate())
