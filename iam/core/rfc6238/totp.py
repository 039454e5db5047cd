"""TOTP with SHA-1, six digits and steps of 30 seconds, as authenticator apps have it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

from secops.kernel.clock import SECOND

STEP_SECONDS: Final = 30
DIGITS: Final = 6
WINDOW: Final = 1
SECRET_BYTES: Final = 20


def hotp(secret: bytes, counter: int, digits: int = DIGITS) -> str:
    """Return the code for ``counter`` (RFC 4226 §5.3)."""
    mac = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_at(instant: int) -> int:
    """Return the time step of ``instant`` (UTC microseconds)."""
    return instant // (STEP_SECONDS * SECOND)


def matching_step(
    secret: bytes,
    code: str,
    instant: int,
    last_step: int,
    *,
    code_of: Callable[[bytes, int], str] = hotp,
) -> int | None:
    """Return the step that ``code`` belongs to, or None.

    Only steps within the window and later than ``last_step`` count (RFC 6238 §5.2); the
    caller must still consume the step by one conditional statement. All candidates are
    computed and compared in constant time. ``code_of`` makes the code of a step.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    now = step_at(instant)
    found = None
    for step in range(now - WINDOW, now + WINDOW + 1):
        if hmac.compare_digest(code_of(secret, step), code) and step > last_step:
            found = step
    return found


def otpauth_uri(secret: bytes, account: str, issuer: str, algorithm: str = "sha1") -> str:
    """Return the URI that authenticator apps read from a QR code."""
    label = quote(f"{issuer}:{account}", safe="")
    query = urlencode(
        {
            "secret": base32(secret),
            "issuer": issuer,
            "algorithm": algorithm.upper(),
            "digits": DIGITS,
            "period": STEP_SECONDS,
        }
    )
    return f"otpauth://totp/{label}?{query}"


def base32(secret: bytes) -> str:
    """Return ``secret`` as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")
