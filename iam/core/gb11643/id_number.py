"""Citizen identity numbers: 18 characters with a check character (ISO 7064 MOD 11-2)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from iam.errors import IdentityInvalid

_SHAPE_18: Final = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_SHAPE_15: Final = re.compile(r"[1-9][0-9]{14}", re.ASCII)
_CHECK: Final = "10X98765432"
_OLDEST_YEAR: Final = 1850


def check_character(first_17: str) -> str:
    """Return the check character of the first 17 digits (GB 11643-1999 §3.4)."""
    total = sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(first_17))
    return _CHECK[total % 11]


def canonical_id_number(number: str, today: date) -> str:
    """Return the 18-character form; raise ``IdentityInvalid``.

    A number of the old 15 digits becomes one of 18. Regions are not enforced: the list
    changes, and people keep the number they were given.
    """
    text = number
    if _SHAPE_15.fullmatch(text):
        text = text[:6] + "19" + text[6:]
        text += check_character(text)
    if not _SHAPE_18.fullmatch(text):
        msg = "an identity number has 18 characters: 17 digits and a digit or X"
        raise IdentityInvalid(msg)
    if text[17] != check_character(text[:17]):
        msg = "the identity number's check character is wrong"
        raise IdentityInvalid(msg)
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError as error:
        msg = "the identity number holds no real date of birth"
        raise IdentityInvalid(msg) from error
    if not born.year >= _OLDEST_YEAR or born > today:
        msg = "the identity number's date of birth can't be"
        raise IdentityInvalid(msg)
    return text
