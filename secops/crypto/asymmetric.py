"""Reading and writing keys of the ``cryptography`` package: SPKI and PKCS#8, DER only."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from secops.crypto.errors import InvalidKey


def read_private(pkcs8: bytes, kind: type[Any]) -> Any:
    """Return the private key in ``pkcs8``; raise ``InvalidKey`` unless it is a ``kind``."""
    try:
        key = load_der_private_key(pkcs8, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = "not an unencrypted PKCS#8 key"
        raise InvalidKey(msg) from error
    if not isinstance(key, kind):
        msg = "a private key of another algorithm"
        raise InvalidKey(msg)
    return key


def read_public(spki: bytes, kind: type[Any]) -> Any:
    """Return the public key in ``spki``; raise ``InvalidKey`` unless it is a ``kind``."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = "not an SPKI public key"
        raise InvalidKey(msg) from error
    if not isinstance(key, kind):
        msg = "a public key of another algorithm"
        raise InvalidKey(msg)
    return key


def write_private(key: Any) -> bytes:
    """Return ``key`` as PKCS#8, not encrypted."""
    written: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return written


def write_public(key: Any) -> bytes:
    """Return ``key`` as SPKI."""
    written: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return written
