"""ML-DSA (FIPS 204): signatures that a quantum computer can't forge. Hashes inside."""

from __future__ import annotations

from typing import Any, Final

from cryptography.exceptions import InvalidSignature as _Wrong
from cryptography.hazmat.primitives.asymmetric import mldsa

from secops.crypto.asymmetric import read_private, read_public, write_private, write_public
from secops.crypto.errors import InvalidSignature
from secops.crypto.options import SignatureOptions

SIZES: Final[dict[str, tuple[type[Any], type[Any]]]] = {
    "ml-dsa-44": (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    "ml-dsa-65": (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
    "ml-dsa-87": (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey),
}
"""Parameter sets of FIPS 204 §4: categories 2, 3 and 5."""


class PublicKey:
    """A public key of ``algorithm``."""

    def __init__(self, algorithm: str, spki: bytes) -> None:
        """Read ``spki``; raise ``InvalidKey`` if it is of another parameter set."""
        self._key: Any = read_public(spki, SIZES[algorithm][1])
        self.der = write_public(self._key)

    def verify(self, signature: bytes, message: bytes, _options: SignatureOptions) -> None:
        """Return if ``signature`` is of ``message``; raise ``InvalidSignature``."""
        try:
            self._key.verify(signature, message)
        except _Wrong as error:
            raise InvalidSignature from error


class PrivateKey:
    """A private key of ``algorithm``."""

    def __init__(self, algorithm: str, pkcs8: bytes) -> None:
        """Read ``pkcs8``; raise ``InvalidKey`` if it is of another parameter set."""
        self._key: Any = read_private(pkcs8, SIZES[algorithm][0])
        self.der = pkcs8
        self.public_key = PublicKey(algorithm, write_public(self._key.public_key()))

    def sign(self, message: bytes, _options: SignatureOptions) -> bytes:
        """Return the signature of ``message``: 2,420, 3,309 or 4,627 bytes."""
        signature: bytes = self._key.sign(message)
        return signature


def generate(algorithm: str) -> bytes:
    """Return a new private key as PKCS#8."""
    return write_private(SIZES[algorithm][0].generate())
