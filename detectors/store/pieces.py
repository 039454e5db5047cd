"""Long lists for ``IN``, cut into what one statement takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def pieces(wanted: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield ``wanted`` in order, at most ``size`` at a time."""
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]
