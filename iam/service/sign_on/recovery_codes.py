"""Recovery codes: made once, stored as keyed hashes."""

from __future__ import annotations

from typing import Final

from iam.core.readable import in_groups, letters_of
from iam.service.means import Means

RECOVERY_CODES: Final = 10
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz23456789"
_CODE_LENGTH: Final = 12


def recovery_digest(means: Means, account_id: str, code: str) -> bytes:
    """Return what a recovery code is stored as; dashes, spaces and case don't matter."""
    plain = "".join(char for char in code[:64].casefold() if char in _ALPHABET)
    return means.keys.mac("recovery-code", f"{account_id}|{plain}".encode())


def make_recovery_codes(means: Means) -> tuple[str, ...]:
    """Return new codes of 12 characters (58 bits) each."""
    return tuple(
        in_groups(letters_of(means.random(16), _ALPHABET, _CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    )
