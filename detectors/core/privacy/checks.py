"""Check digits of numbers that name somebody. Values are ASCII, separators left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_MODULUS: Final = 31
_LUHN_MODULUS: Final = 10


def is_id_card(value: str) -> bool:
    """Whether birth date and check digit are right (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(value[:17], _WEIGHTS, strict=True))
    if _CHECKS[total % 11] != value[17].upper():
        return False
    try:
        date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return False
    return True


def is_uscc(value: str) -> bool:
    """Whether the check character is right (GB 32100-2015: weights 3^i mod 31)."""
    total = sum(
        _USCC.index(character) * pow(3, place, _USCC_MODULUS)
        for place, character in enumerate(value[:17])
    )
    return _USCC[-total % _USCC_MODULUS] == value[17]


def is_luhn(value: str) -> bool:
    """Whether the Luhn sum is right (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, character in enumerate(reversed(value)):
        digit = int(character) << (place % 2)
        total += digit - 9 if digit > 9 else digit  # noqa: PLR2004 - the digit sum of 10 to 18
    return total % _LUHN_MODULUS == 0


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "gb11643": is_id_card,
    "gb32100": is_uscc,
    "luhn": is_luhn,
}
