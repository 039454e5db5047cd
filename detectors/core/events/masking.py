"""Personal data in lines, replaced before anything is stored: ID-card and phone numbers.

What is stored, numbered and hashed is the masked line, so that not even an id gives away a
number that could be guessed. Works on ASCII digits, which UTF-8 and GB18030 write alike.
"""

from __future__ import annotations

import re
from typing import Final

from detectors.models.privacy import Prepared

_ID_CARD: Final = re.compile(
    rb"(?<![0-9])([1-9][0-9]{5})"
    rb"((?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3})"
    rb"([0-9Xx])(?![0-9])"
)
_PHONE: Final = re.compile(rb"(?<![0-9])((?:\+?86[ -]?)?1[3-9][0-9])[0-9]{4}([0-9]{4})(?![0-9])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = b"10X98765432"
_PLAIN: Final = 9
_ZERO: Final = 48


def prepare_line(raw: bytes) -> Prepared:
    """Return ``raw`` masked, as readers take it."""
    return Prepared(mask_line(raw))


def mask_line(raw: bytes) -> bytes:
    """Return ``raw`` with ID-card and mobile numbers starred out in their middle.

    An ID-card number counts when its check digit is right (GB 11643-1999).
    """
    if len(raw) < _PLAIN:
        return raw
    return _PHONE.sub(rb"\1****\2", _ID_CARD.sub(_masked_card, raw))


def _masked_card(found: re.Match[bytes]) -> bytes:
    region, birth, check = found.groups()
    digits = region + birth
    total = sum((d - _ZERO) * w for d, w in zip(digits, _WEIGHTS, strict=True))
    if _CHECKS[total % 11 : total % 11 + 1] != check.upper():
        return found[0]
    return region + b"*" * len(birth) + check
