"""Hashes, keyed hashes and key derivation: SM3 beside SHA-2 and SHA-3."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from secops.crypto.errors import InvalidSignature
from secops.kernel.errors import Invalid


def sm3(data: bytes) -> bytes:
    """Return SM3 (GB/T 32905) of ``data``, 32 bytes."""
    engine = hashes.Hash(hashes.SM3())
    engine.update(data)
    return engine.finalize()


def sha256(data: bytes) -> bytes:
    """Return SHA-256 of ``data``, 32 bytes."""
    return hashlib.sha256(data).digest()


def _by_hashlib(name: str) -> Callable[[bytes], bytes]:
    engine = getattr(hashlib, name)
    return lambda data: bytes(engine(data).digest())


_ALGORITHMS: Final[dict[str, hashes.HashAlgorithm]] = {
    "sm3": hashes.SM3(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3_224": hashes.SHA3_224(),
    "sha3_256": hashes.SHA3_256(),
    "sha3_384": hashes.SHA3_384(),
    "sha3_512": hashes.SHA3_512(),
}
_HASHES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "sm3": sm3,
    **{name: _by_hashlib(name) for name in _ALGORITHMS if name != "sm3"},
}
_SIZES: Final = {name: chosen.digest_size for name, chosen in _ALGORITHMS.items()}
NAMES: Final = frozenset(_HASHES)


def digest(name: str, data: bytes) -> bytes:
    """Return the hash ``name`` (``NAMES``) of ``data``."""
    check_name(name)
    return _HASHES[name](data)


def algorithm(name: str) -> hashes.HashAlgorithm:
    """Return ``cryptography``'s object for the hash ``name``."""
    check_name(name)
    return _ALGORITHMS[name]


def stream(name: str) -> hashes.Hash:
    """Return a running hash ``name``: ``update`` it, then ``finalize``."""
    return hashes.Hash(algorithm(name))


def keyed(name: str, key: bytes, data: bytes) -> bytes:
    """Return HMAC (RFC 2104) of ``data`` under ``key`` with the hash ``name``."""
    if name != "sm3" and name in _HASHES:
        return hmac.digest(key, data, name)
    engine = HMAC(key, algorithm(name))
    engine.update(data)
    return engine.finalize()


def verify_keyed(name: str, key: bytes, data: bytes, *, tag: bytes) -> None:
    """Return if ``tag`` is the whole HMAC of ``data``; raise ``InvalidSignature``."""
    if not hmac.compare_digest(keyed(name, key, data), tag):
        raise InvalidSignature


def derive(name: str, key: bytes, *, length: int, salt: bytes = b"", info: bytes = b"") -> bytes:
    """Return ``length`` bytes of HKDF (RFC 5869) from ``key`` with the hash ``name``."""
    return HKDF(algorithm(name), length, salt or None, info).derive(key)


def check_name(name: str) -> None:
    """Return if the hash ``name`` is offered; raise ``Invalid`` otherwise."""
    if name not in _HASHES:
        msg = f"the hash {name[:32]!r} is not offered; use one of {', '.join(sorted(_HASHES))}"
        raise Invalid(msg)


def check_digest(name: str, value: bytes) -> None:
    """Return if ``value`` is as long as a digest of ``name``; raise ``Invalid`` otherwise."""
    check_name(name)
    size = _SIZES[name]
    if len(value) != size:
        msg = f"prehashed input for {name} has {size} bytes, not {len(value)}"
        raise Invalid(msg)
