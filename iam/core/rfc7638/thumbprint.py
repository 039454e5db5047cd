"""JWKs of P-256 and SM2 keys and their thumbprints, which are our key ids."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from iam.core.base64url import encode
from secops.kernel.canonical import canonical_record

_CURVES: Final = {
    bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"): "P-256",
    # GM/T 0125.4-2022 (read second-hand): no registry of the IETF has a name for this curve
    bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004"): "SM2-P-256",
}
_PREFIX: Final = 27
_COORDINATE: Final = 32
_REQUIRED: Final = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}


@lru_cache(maxsize=64)
def jwk_of(public_der: bytes) -> dict[str, str]:
    """Return the JWK of a P-256 or SM2 SubjectPublicKeyInfo; raise ValueError for another."""
    curve, point = _CURVES.get(public_der[:_PREFIX]), public_der[_PREFIX:]
    if curve is None or len(point) != 2 * _COORDINATE:
        msg = "not an uncompressed P-256 or SM2 public key"
        raise ValueError(msg)
    return {
        "kty": "EC",
        "crv": curve,
        "x": encode(point[:_COORDINATE]),
        "y": encode(point[_COORDINATE:]),
    }


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of ``jwk`` (RFC 7638 §3), of its required members only."""
    required = _REQUIRED[jwk["kty"]]
    digest = hashlib.sha256(canonical_record({name: jwk[name] for name in required}))
    return encode(digest.digest())


def key_id_of(public_der: bytes) -> str:
    """Return the key id of a P-256 or SM2 public key."""
    return thumbprint(jwk_of(public_der))
