"""The dynamic password of GM/T 0021 with SM3: not an HMAC, and cut otherwise than RFC 4226.

ID = T ‖ C ‖ Q, zero-padded to 16 bytes; S = SM3(K ‖ ID); the code is the sum of the eight
big-endian words of S modulo 2³², in its last digits. T counts steps of at most 60 seconds.
"""

from __future__ import annotations

from typing import Final

from secops.crypto.hashes import sm3

DIGITS: Final = 6
LEAST_KEY: Final = 16
_LEAST_ID: Final = 16


def dynamic_password(
    key: bytes,
    time_factor: int,
    counter: int | None = None,
    challenge: bytes = b"",
    digits: int = DIGITS,
) -> str:
    """Return the code; raise ValueError for a key of fewer than 16 bytes."""
    if len(key) < LEAST_KEY:
        msg = "a key has at least 16 bytes"
        raise ValueError(msg)
    counted = b"" if counter is None else counter.to_bytes(4, "big")
    identifier = (time_factor.to_bytes(8, "big") + counted + challenge).ljust(_LEAST_ID, b"\x00")
    digest = sm3(key + identifier)
    words = (int.from_bytes(digest[at : at + 4], "big") for at in range(0, len(digest), 4))
    return str(sum(words) % 2**32 % 10**digits).zfill(digits)


def code_at(key: bytes, step: int) -> str:
    """Return the code of a time step, by time alone."""
    return dynamic_password(key, step)
