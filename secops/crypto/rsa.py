"""RSA (RFC 8017), keys of 2,048 to 8,192 bits.

Signatures by PSS (default) or PKCS#1 v1.5, encryption by OAEP with one hash for both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives import hashes as primitives
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from secops.crypto import hashes
from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import DecryptionFailed, InvalidKey, InvalidSignature
from secops.crypto.options import AUTO_SALT, SignatureOptions

SIZES: Final = {"rsa-2048": 2_048, "rsa-3072": 3_072, "rsa-4096": 4_096}
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

    @property
    def size(self) -> int:
        """Bytes of a signature or ciphertext."""
        return self._key.key_size // 8

    def verify(self, signature: bytes, message: bytes, options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            self._key.verify(
                signature, message, _padding(options, padding.PSS.AUTO), _hash(message, options)
            )
        except _Wrong as error:
            raise InvalidSignature from error

    def encrypt(self, plaintext: bytes, hash_name: str = "sha256") -> bytes:
        """Return the OAEP ciphertext; raise ``InvalidKey`` where the plaintext is too long."""
        try:
            return self._key.encrypt(plaintext, _oaep(hash_name))
        except ValueError as error:
            msg = "the plaintext is longer than this key can encrypt"
            raise InvalidKey(msg) from error


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
            longest = padding.PSS.MAX_LENGTH
            return self._key.sign(message, _padding(options, longest), _hash(message, options))
        except ValueError as error:  # a salt longer than the key allows
            msg = "these options don't fit the key"
            raise InvalidKey(msg) from error

    def decrypt(self, ciphertext: bytes, hash_name: str = "sha256") -> bytes:
        """Return the plaintext of an OAEP ciphertext; raise ``DecryptionFailed``."""
        try:
            return self._key.decrypt(ciphertext, _oaep(hash_name))
        except ValueError as error:
            raise DecryptionFailed from error


def generate(algorithm: str = "rsa-3072") -> bytes:
    """Return a new private key of ``algorithm`` as PKCS#8."""
    return write_private(rsa.generate_private_key(65_537, SIZES[algorithm]))


def _oaep(hash_name: str) -> padding.OAEP:
    chosen = hashes.algorithm(hash_name)
    return padding.OAEP(padding.MGF1(chosen), chosen, None)


def _padding(options: SignatureOptions, automatic: Any) -> padding.PSS | padding.PKCS1v15:
    if options.padding == "pkcs1v15":
        return padding.PKCS1v15()
    chosen = hashes.algorithm(options.hash_name)
    salt = options.salt_length
    if salt is None:
        return padding.PSS(padding.MGF1(chosen), chosen.digest_size)
    return padding.PSS(padding.MGF1(chosen), automatic if salt == AUTO_SALT else salt)


def _hash(message: bytes, options: SignatureOptions) -> primitives.HashAlgorithm | Prehashed:
    chosen = hashes.algorithm(options.hash_name)
    if not options.prehashed:
        return chosen
    hashes.check_digest(options.hash_name, message)
    return Prehashed(chosen)


@dataclass(frozen=True, slots=True)
class PrivateNumbers:
    """RFC 8017 §3.2, for a token that takes keys by value."""

    n: int
    e: int
    d: int = field(repr=False)
    p: int = field(repr=False)
    q: int = field(repr=False)
    dp: int = field(repr=False)
    dq: int = field(repr=False)
    qi: int = field(repr=False)


def public_from_numbers(n: int, e: int) -> bytes:
    """Return the SPKI of modulus ``n`` and exponent ``e``; raise ``InvalidKey``."""
    try:
        return write_public(rsa.RSAPublicNumbers(e, n).public_key())
    except ValueError as error:
        msg = "not an RSA public key"
        raise InvalidKey(msg) from error


def private_numbers(pkcs8: bytes) -> PrivateNumbers:
    """Return the numbers of the key in ``pkcs8``."""
    key: rsa.RSAPrivateKey = read_private(pkcs8, rsa.RSAPrivateKey)
    found = key.private_numbers()
    public = found.public_numbers
    return PrivateNumbers(
        public.n, public.e, found.d, found.p, found.q, found.dmp1, found.dmq1, found.iqmp
    )
