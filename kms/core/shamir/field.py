"""GF(2^8) on all bytes of a secret at once: no tables, no branch that a secret decides.

A vector of bytes is one integer, a byte in each eight bits. Only public numbers (the places
of shares) are factors, so every branch below depends on what everybody may know.
"""

from __future__ import annotations

from typing import Final

_POLYNOMIAL: Final = 0x11B
_BITS: Final = 8
_INVERSE: Final = 254
"""a^254 is 1/a: the group of the field has 255 elements."""


def scale(vector: int, factor: int, *, length: int) -> int:
    """Return each of the ``length`` bytes of ``vector`` times the public ``factor``."""
    ones = int.from_bytes(b"\x01" * length, "big")
    low = ones * 0x7F
    result = 0
    for bit in range(_BITS):
        if factor >> bit & 1:
            result ^= vector
        # doubled: shifted, and reduced in those bytes whose highest bit went out
        vector = ((vector & low) << 1) ^ (((vector >> 7) & ones) * (_POLYNOMIAL & 0xFF))
    return result


def multiply(one: int, other: int) -> int:
    """Return the product of two public elements."""
    return scale(one, other, length=1)


def divide(one: int, other: int) -> int:
    """Return ``one`` divided by ``other``, which is not 0; both are public."""
    inverse = 1
    for _ in range(_INVERSE):
        inverse = multiply(inverse, other)
    return multiply(one, inverse)
