"""Nonces for proofs: a MAC over the time, so that no server has to remember them (§8)."""

from __future__ import annotations

import hmac
from typing import Final

from iam.core.base64url import encode

STEP_SECONDS: Final = 120
_BYTES: Final = 16


def nonce_at(key: bytes, now: int) -> str:
    """Return the nonce of this step of two minutes; ``now`` in UTC seconds."""
    return _nonce(key, now // STEP_SECONDS)


def nonce_fits(key: bytes, nonce: str, now: int) -> bool:
    """Tell whether ``nonce`` is this step's or the one's before."""
    step = now // STEP_SECONDS
    given = nonce.encode()
    fits = [hmac.compare_digest(given, _nonce(key, step - age).encode()) for age in (0, 1)]
    return any(fits)


def _nonce(key: bytes, step: int) -> str:
    return encode(hmac.digest(key, b"dpop nonce v1" + step.to_bytes(8, "big"), "sha256")[:_BYTES])
