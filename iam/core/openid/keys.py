"""The keys of an OpenID provider (RFC 7517), each usable for one algorithm alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jwt
import orjson

from iam.errors import UpstreamRefused

MAX_KEYS: Final = 20
_RSA_BITS: Final = 2_048
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_TYPES: Final = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
    "RS256": ("RSA", ""),
    "PS256": ("RSA", ""),
}


def read_keys(content: bytes, algorithm: str) -> Mapping[str, Any]:
    """Return the public keys of a JWK set that may verify ``algorithm``, by ``kid``.

    Keys of another type, use or algorithm are left out; keys with private members, repeated
    kids and RSA keys below 2,048 bits are refused with the whole set (``UpstreamRefused``).
    """
    try:
        keys = orjson.loads(content)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        msg = "the provider's keys can't be read"
        raise UpstreamRefused(msg) from error
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        msg = f"a provider has at most {MAX_KEYS} keys"
        raise UpstreamRefused(msg)
    found: dict[str, Any] = {}
    for key in keys:
        if not isinstance(key, dict) or not _fits(key, algorithm):
            continue
        kid = str(key.get("kid", ""))
        if kid in found:
            msg = "two of the provider's keys have one kid"
            raise UpstreamRefused(msg)
        found[kid] = _public(key, algorithm)
    return found


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = _TYPES[algorithm]
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("kty") == kind
        and (not curve or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
    )


def _public(key: dict[str, Any], algorithm: str) -> Any:
    if _PRIVATE & set(key):
        msg = "the provider published a private or symmetric key"
        raise UpstreamRefused(msg)
    try:
        public = jwt.PyJWK(key, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        msg = "one of the provider's keys can't be read"
        raise UpstreamRefused(msg) from error
    if key["kty"] == "RSA" and public.key_size < _RSA_BITS:
        msg = f"one of the provider's RSA keys is below {_RSA_BITS} bits"
        raise UpstreamRefused(msg)
    return public
