"""Identifiers and randomness as ports."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

from secops.kernel.clock import Clock

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case


class Randomness(Protocol):
    """A source of unpredictable bytes."""

    def bytes(self, count: int) -> bytes:
        """Return ``count`` unpredictable bytes."""
        ...


class SystemRandomness:
    """The operating system's generator."""

    def bytes(self, count: int) -> bytes:
        """Return ``count`` unpredictable bytes."""
        return secrets.token_bytes(count)


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


@dataclass(frozen=True, slots=True)
class Ids:
    """Makes identifiers that sort by time: ``kind_`` + 10 digits of time + 16 random."""

    clock: Clock
    randomness: Randomness

    def new(self, kind: str) -> str:
        """Return a new identifier, e.g. ``acc_01k9…`` (80 random bits)."""
        milliseconds = self.clock.now() // 1000
        noise = int.from_bytes(self.randomness.bytes(10), "big")
        return f"{kind}_{_base32(milliseconds, 10)}{_base32(noise, 16)}"
