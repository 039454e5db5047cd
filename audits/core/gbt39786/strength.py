"""Strength of keys by type in bits (NIST SP 800-57 part 1, table 2), and which are approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SOUND_BITS: Final = 112
"""Below this an algorithm is a high risk at all levels."""
APPROVED: Final = frozenset({"sm2", "sm4-gcm96", "sm4-ccm96"})
"""Types of keys with algorithms of Chinese commercial cryptography (GB/T 32918, 32907)."""
_BITS: Final[Mapping[str, int]] = {
    "sm2": 128,
    "sm4-gcm96": 128,
    "sm4-ccm96": 128,
    "aes128-gcm96": 128,
    "aes256-gcm96": 256,
    "chacha20-poly1305": 256,
    "hmac": 128,
    "ecdsa-p256": 128,
    "ecdsa-p384": 192,
    "ecdsa-p521": 256,
    "ed25519": 128,
    "rsa-2048": 112,
    "rsa-3072": 128,
    "rsa-4096": 128,
    "ml-dsa-44": 128,
    "ml-dsa-65": 192,
    "ml-dsa-87": 256,
}


def bits_of(key_type: str) -> int:
    """Return the strength of a type of key; 0 for one that nobody has judged."""
    return _BITS.get(key_type, 0)
