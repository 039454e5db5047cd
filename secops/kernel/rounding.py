"""Exact numbers rounded half up, for print and where a rule names places."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def to_places(value: Fraction, places: int) -> Decimal:
    """Return ``value`` (not negative) rounded half up to ``places`` decimal places."""
    scaled = value * 10**places
    return Decimal((2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)).scaleb(
        -places
    )


def percent(share: Fraction) -> str:
    """Return ``share`` in percent with two places, ``90.50%``."""
    return f"{to_places(share * 100, 2)}%"
