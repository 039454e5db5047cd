"""SM2EnvelopedKey: the encryption key of a pair, for whoever has the signing key."""

from __future__ import annotations

from typing import Final

from kms.core.x690 import read_der, values
from kms.core.x690 import writing as der

_SM4_ECB: Final = "1.2.156.10197.1.104.1"
_SCALAR: Final = 32


def private_scalar(pkcs8: bytes) -> bytes:
    """Return the private number of an SM2 key in PKCS#8 (RFC 5915), 32 bytes."""
    inner = read_der(values.octets(read_der(pkcs8).sequence("PKCS#8")[2], "privateKey"))
    scalar = values.octets(inner.sequence("ECPrivateKey")[1], "privateKey")
    if len(scalar) != _SCALAR:
        inner.refuse("not a key of 256 bits")
    return scalar


def enveloped_key(encrypted_key: bytes, point: bytes, encrypted_scalar: bytes) -> bytes:
    """Return the SM2EnvelopedKey.

    ``encrypted_key`` is the SM2Cipher (DER) of an SM4 key, ``point`` the public key as
    04 ‖ x ‖ y, ``encrypted_scalar`` the private key's 32 bytes under SM4 in ECB: two blocks
    of a random number, whose key is used this once.
    """
    if len(encrypted_scalar) != _SCALAR:
        msg = f"an encrypted private key has {_SCALAR} bytes"
        raise ValueError(msg)
    return der.sequence(
        der.sequence(der.oid(_SM4_ECB)), encrypted_key, der.bits(point), der.bits(encrypted_scalar)
    )
