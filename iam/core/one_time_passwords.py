"""Which algorithm an authenticator's codes are made with: SHA-1 (RFC 6238) or SM3 (GM/T 0021)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from iam.core.gmt0021.dynamic_password import code_at
from iam.core.rfc6238.totp import hotp, matching_step
from iam.models.options import CryptoProfile

OtpAlgorithm = Literal["sha1", "sm3"]

CODES: Final[dict[str, Callable[[bytes, int], str]]] = {"sha1": hotp, "sm3": code_at}


def algorithm_of(profile: CryptoProfile) -> OtpAlgorithm:
    """Return what new secrets are for under a profile."""
    return "sm3" if profile == "gm" else "sha1"


def matching_code_step(
    algorithm: str, secret: bytes, code: str, instant: int, last_step: int
) -> int | None:
    """Return the step that ``code`` belongs to, or None, by the secret's own algorithm."""
    return matching_step(secret, code, instant, last_step, code_of=CODES[algorithm])
