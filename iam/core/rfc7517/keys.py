"""JWKs of public keys, read for one purpose: to verify signatures (RFC 7517 §4, RFC 8037)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from iam.core.base64url import decode
from iam.core.rfc7638.thumbprint import thumbprint

MAX_KEYS: Final = 20
MAX_KEY_ID: Final = 128
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_COORDINATE: Final = 32
_RSA_BITS: Final = range(2_048, 4_097)
_RSA_EXPONENT: Final = 65_537
_ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "EC": frozenset({"ES256"}),
    "RSA": frozenset({"PS256"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey


class JwkRefused(ValueError):
    """The JWK is no public key that we verify signatures with."""


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """A public key; ``algorithms`` are those it may verify, ``thumbprint`` names it for ever."""

    key_id: str | None
    algorithms: frozenset[str]
    public: PublicKey
    thumbprint: str


def read_jwk(value: object) -> PublicJwk:
    """Return the key; raise ``JwkRefused``.

    No private member, P-256, RSA of 2,048 to 4,096 bits or Ed25519, and neither ``use`` nor
    ``key_ops`` nor ``alg`` may say that it is for something else.
    """
    if not isinstance(value, dict):
        msg = "a key is a JSON object"
        raise JwkRefused(msg)
    if not _PRIVATE.isdisjoint(value):
        msg = "the key has a private member"
        raise JwkRefused(msg)
    _check_purpose(value)
    algorithms = _ALGORITHMS.get(str(value.get("kty")), frozenset())
    named = value.get("alg")
    if named is not None:
        algorithms &= {named} if isinstance(named, str) else set()
    if not algorithms:
        msg = "the key is not for an algorithm of ours"
        raise JwkRefused(msg)
    key_id = value.get("kid")
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID):
        msg = "the key's id is no text"
        raise JwkRefused(msg)
    return PublicJwk(key_id, algorithms, _public(value), thumbprint(value))


def _check_purpose(value: Mapping[str, Any]) -> None:
    operations = value.get("key_ops")
    if value.get("use", "sig") != "sig":
        msg = "the key is not for signatures"
        raise JwkRefused(msg)
    if operations is not None and not (isinstance(operations, list) and "verify" in operations):
        msg = "the key is not for verifying"
        raise JwkRefused(msg)


def _public(value: Mapping[str, Any]) -> PublicKey:
    try:
        if value["kty"] == "EC":
            return _elliptic(value)
        if value["kty"] == "RSA":
            return _rsa(value)
        if value["crv"] != "Ed25519":
            msg = "the curve is not Ed25519"
            raise JwkRefused(msg)
        return Ed25519PublicKey.from_public_bytes(_member(value, "x"))
    except KeyError as error:
        msg = f"the key has no member {error.args[0]}"
        raise JwkRefused(msg) from error
    except ValueError as error:
        msg = "the key is not on its curve or of another size"
        raise JwkRefused(msg) from error


def _member(value: Mapping[str, Any], name: str) -> bytes:
    text = value[name]
    if not isinstance(text, str):
        raise ValueError(name)  # noqa: TRY004 - one refusal for every defect of a key
    return decode(text)


def _elliptic(value: Mapping[str, Any]) -> EllipticCurvePublicKey:
    x, y = _member(value, "x"), _member(value, "y")
    if value["crv"] != "P-256" or len(x) != _COORDINATE or len(y) != _COORDINATE:
        msg = "not a P-256 key"
        raise JwkRefused(msg)
    numbers = EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), SECP256R1()
    )
    return numbers.public_key()


def _rsa(value: Mapping[str, Any]) -> RSAPublicKey:
    modulus, exponent = _member(value, "n"), _member(value, "e")
    numbers = RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    if numbers.e != _RSA_EXPONENT or numbers.n.bit_length() not in _RSA_BITS:
        msg = "an RSA key has 2,048 to 4,096 bits and the exponent 65537"
        raise JwkRefused(msg)
    return numbers.public_key()


def read_jwks(value: object, *, strict: bool) -> tuple[PublicJwk, ...]:
    """Return the keys of a JWK set, at least one; raise ``JwkRefused``.

    ``strict`` refuses the whole set for one key that is not served; else such keys are left
    out, as a set may hold keys for other purposes (RFC 7517 §5). Private members are never
    passed over.
    """
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        msg = f"a JWK set is an object with a list of at most {MAX_KEYS} keys"
        raise JwkRefused(msg)
    found = []
    for key in keys:
        try:
            found.append(read_jwk(key))
        except JwkRefused:
            if strict or (isinstance(key, dict) and not _PRIVATE.isdisjoint(key)):
                raise
    if not found:
        msg = "the set has no key that is served"
        raise JwkRefused(msg)
    return tuple(found)
