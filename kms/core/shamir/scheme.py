"""Splitting a secret into n points of which any k give it back, and k - 1 say nothing.

Each byte of the secret is the value at 0 of a polynomial of degree k - 1 whose other
coefficients are random; a point is the place x (1 to 255) and the value there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kms.core.shamir.field import divide, multiply, scale
from secops.kernel.errors import Invalid

MIN_THRESHOLD: Final = 2
MAX_SHARES: Final = 255


def check_numbers(shares: int, threshold: int) -> None:
    """Return if ``threshold`` of ``shares`` can be; raise ``Invalid`` otherwise."""
    if not MIN_THRESHOLD <= threshold <= shares <= MAX_SHARES:
        msg = f"shares are at most {MAX_SHARES}, the threshold {MIN_THRESHOLD} to their number"
        raise Invalid(msg)


def split(secret: bytes, *, shares: int, threshold: int, noise: bytes) -> dict[int, bytes]:
    """Return the points 1 to ``shares``; ``noise`` is random, (threshold - 1) times as long."""
    check_numbers(shares, threshold)
    length = len(secret)
    if not secret or len(noise) != (threshold - 1) * length:
        msg = "splitting takes a secret and as much noise for each coefficient"
        raise Invalid(msg)
    above = [noise[at : at + length] for at in range(0, len(noise), length)]
    coefficients = [int.from_bytes(part, "big") for part in (secret, *above)]
    return {x: _evaluate(coefficients, x, length) for x in range(1, shares + 1)}


def interpolate(points: Mapping[int, bytes], at: int = 0) -> bytes:
    """Return the value at ``at`` of the least polynomial through ``points``; at 0 the secret.

    Raises ``Invalid`` for places out of range and values of different lengths.
    """
    lengths = {len(value) for value in points.values()}
    if len(lengths) != 1 or not all(0 <= x <= MAX_SHARES for x in points) or lengths == {0}:
        msg = "points have places of 0 to 255 and values of one length"
        raise Invalid(msg)
    (length,) = lengths
    result = 0
    for x, value in points.items():
        weight = _weight(x, at, points)
        result ^= scale(int.from_bytes(value, "big"), weight, length=length)
    return result.to_bytes(length, "big")


def _weight(x: int, at: int, points: Mapping[int, bytes]) -> int:
    """Return Lagrange's coefficient of the point at ``x``."""
    over = under = 1
    for other in points:
        if other != x:
            over = multiply(over, at ^ other)
            under = multiply(under, x ^ other)
    return divide(over, under)


def _evaluate(coefficients: list[int], x: int, length: int) -> bytes:
    value = 0
    for coefficient in reversed(coefficients):
        value = scale(value, x, length=length) ^ coefficient
    return value.to_bytes(length, "big")
