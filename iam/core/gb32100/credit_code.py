"""Unified social credit codes: 18 characters with a check character modulo 31."""

from __future__ import annotations

from typing import Final

from iam.errors import IdentityInvalid

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LENGTH: Final = 18


def check_character(first_17: str) -> str:
    """Return the check character of the first 17 (GB 32100-2015 §5.3)."""
    total = sum(ALPHABET.index(char) * pow(3, i, 31) for i, char in enumerate(first_17))
    return ALPHABET[(31 - total % 31) % 31]


def canonical_credit_code(code: str) -> str:
    """Return the code in capitals; raise ``IdentityInvalid``."""
    text = code.strip().upper()
    if len(text) != _LENGTH or any(char not in ALPHABET for char in text):
        msg = "a unified social credit code has 18 characters of its alphabet"
        raise IdentityInvalid(msg)
    if text[17] != check_character(text[:17]):
        msg = "the credit code's check character is wrong"
        raise IdentityInvalid(msg)
    return text
