"""Decimal numbers in the text of events."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_DECIMAL: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)
_MAX_DIGITS: Final = 64


def decimal(text: str) -> Decimal | None:
    """Return ``text`` as a decimal number; hexadecimal, exponents and the rest are none."""
    if len(text) > _MAX_DIGITS or _DECIMAL.fullmatch(text) is None:
        return None
    return Decimal(text)
