"""Logout tokens (Back-Channel Logout 1.0 §2.4): a session ended, never a nonce."""

from __future__ import annotations

from typing import Any, Final

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME_SECONDS: Final = 120


def logout_claims(
    issuer: str, client_id: str, *, subject: str, session_id: str, now: int
) -> dict[str, Any]:
    """Return the claims without ``jti``; ``now`` in UTC seconds."""
    return {
        "iss": issuer,
        "aud": client_id,
        "sub": subject,
        "sid": session_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "events": {EVENT: {}},
    }
