"""How many a day: bars for an SVG, and what the table behind them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 90


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day (its start in UTC microseconds), its count, and its place in the picture."""

    x: float
    y: float
    width: float
    height: float
    day: int
    count: int


@dataclass(frozen=True, slots=True)
class DayPicture:
    """The bars, oldest first, in a picture of ``width`` and ``height``."""

    bars: tuple[DayBar, ...]
    width: int = WIDTH
    height: int = HEIGHT


def day_picture(counts: Sequence[tuple[int, int]]) -> DayPicture:
    """Return a bar for each (start of the day, count), the highest as high as the picture."""
    most = max((count for _, count in counts), default=0)
    slot = WIDTH / max(len(counts), 1)
    bars = []
    for place, (day, count) in enumerate(counts):
        height = max(round(count * HEIGHT / most, 2), 2.0) if count else 0.0
        left, width = round(place * slot, 2), round(slot - 2, 2)
        bars.append(DayBar(left, HEIGHT - height, width, height, day, count))
    return DayPicture(tuple(bars))
