"""User codes: eight of twenty consonants, read aloud and typed without mistakes (§6.1)."""

from __future__ import annotations

from typing import Final

from iam.core.readable import in_groups, letters_of

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH: Final = 8
RANDOM_BYTES: Final = 16
_IGNORED: Final = frozenset("- \t_.·　")


def user_code(random: bytes) -> str:
    """Return a code of about 34.5 bits from 16 random bytes, as ``WDJB-MJHT``."""
    return in_groups(letters_of(random, ALPHABET, LENGTH))


def plain_code(typed: str) -> str | None:
    """Return what somebody typed as eight capital letters; None if it can be no code."""
    if len(typed) > 4 * LENGTH:
        return None
    letters = "".join(char for char in typed.upper() if char not in _IGNORED)
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return letters
