"""RSA signatures: PSS (default) and PKCS#1 v1.5 (RFC 8017), keys of 2,048 to 8,192 bits."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives import hashes as primitives
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from secops.crypto import hashes
from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import InvalidKey, InvalidSignature
from secops.crypto.options import SignatureOptions

BITS: Final = 3_072
_MIN_BITS: Final = 2_048
_MAX_BITS: Final = 8_192


class PublicKey:
    """An RSA public key."""

    def __init__(self, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` if it is too short, too long or no RSA key."""
        self._key: rsa.RSAPublicKey = read_public(spki, rsa.RSAPublicKey)
        if not _MIN_BITS <= self._key.key_size <= _MAX_BITS:
            msg = f"RSA keys have {_MIN_BITS} to {_MAX_BITS} bits"
            raise InvalidKey(msg)
        self.der = write_public(self._key)

    def verify(self, signature: bytes, message: bytes, options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            self._key.verify(signature, message, _padding(options), _hash(message, options))
        except _Wrong as error:
            raise InvalidSignature from error


class PrivateKey:
    """An RSA private key."""

    def __init__(self, pkcs8: bytes) -> None:
        """Read ``pkcs8``; raise ``InvalidKey`` otherwise."""
        self._key: rsa.RSAPrivateKey = read_private(pkcs8, rsa.RSAPrivateKey)
        self.der = pkcs8
        self.public_key = PublicKey(write_public(self._key.public_key()))

    def sign(self, message: bytes, options: SignatureOptions) -> bytes:
        """Return the signature of ``message``."""
        try:
            return self._key.sign(message, _padding(options), _hash(message, options))
        except ValueError as error:  # a salt longer than the key allows
            msg = "these options don't fit the key"
            raise InvalidKey(msg) from error


def generate() -> bytes:
    """Return a new private key of 3,072 bits as PKCS#8."""
    return write_private(rsa.generate_private_key(65_537, BITS))


def _padding(options: SignatureOptions) -> padding.PSS | padding.PKCS1v15:
    if options.padding == "pkcs1v15":
        return padding.PKCS1v15()
    chosen = hashes.algorithm(options.hash_name)
    salt = chosen.digest_size if options.salt_length is None else options.salt_length
    return padding.PSS(padding.MGF1(chosen), salt)


def _hash(message: bytes, options: SignatureOptions) -> primitives.HashAlgorithm | Prehashed:
    chosen = hashes.algorithm(options.hash_name)
    if not options.prehashed:
        return chosen
    hashes.check_digest(options.hash_name, message)
    return Prehashed(chosen)
