"""How long one operation takes about: so that a long batch holds nobody else up."""

from __future__ import annotations

from typing import Final

_SIGNING: Final = {
    "ecdsa-p256": 26,
    "ed25519": 35,
    "sm2": 300,
    "ml-dsa-44": 400,
    "ml-dsa-65": 500,
    "ml-dsa-87": 700,
    "rsa-2048": 700,
    "ecdsa-p384": 900,
    "ecdsa-p521": 1_500,
    "rsa-3072": 2_200,
    "rsa-4096": 5_000,
}
_VERIFYING: Final = {"ecdsa-p256": 70, "ed25519": 90}
_SYMMETRIC: Final = 5


def microseconds(key_type: str, verb: str) -> int:
    """Return about how many microseconds of a core ``verb`` takes with a key of ``key_type``."""
    signing = _SIGNING.get(key_type, _SYMMETRIC)
    if verb in ("verify", "encrypt"):
        return _VERIFYING.get(key_type, signing)
    return _SYMMETRIC if verb == "hmac" else signing
