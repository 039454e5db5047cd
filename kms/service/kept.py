"""What is kept in memory so that it need not be read again, bounded."""

from __future__ import annotations

from typing import Final, TypeVar

K = TypeVar("K")
T = TypeVar("T")

_MOST: Final = 4_096


def keep(kept: dict[K, T], key: K, value: T) -> None:
    """Keep at most 4,096: one organisation's thousand keys don't push out all memory."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = value
