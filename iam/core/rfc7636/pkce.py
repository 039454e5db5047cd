"""PKCE with S256, the only method served (RFC 9700 §2.1.1)."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from iam.core.base64url import encode
from iam.errors import InvalidGrant, InvalidRequest

_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of ``verifier``; raise ``InvalidGrant`` if it has no form."""
    if _VERIFIER.fullmatch(verifier) is None:
        msg = "the code_verifier is not 43 to 128 unreserved characters"
        raise InvalidGrant(msg)
    return encode(hashlib.sha256(verifier.encode("ascii")).digest())


def check_challenge(challenge: str | None, method: str | None) -> str:
    """Return ``challenge``; raise ``InvalidRequest`` unless it is one for S256."""
    if challenge is None:
        msg = "code_challenge is required"
        raise InvalidRequest(msg)
    if method != "S256":
        msg = "code_challenge_method must be S256"
        raise InvalidRequest(msg)
    if _CHALLENGE.fullmatch(challenge) is None:
        msg = "the code_challenge is not 43 base64url characters"
        raise InvalidRequest(msg)
    return challenge
