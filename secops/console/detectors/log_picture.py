"""A histogram as a picture: bars for an SVG, and the table that stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from detectors.models.search import Histogram

WIDTH: Final = 960
HEIGHT: Final = 120
_GAP: Final = 1
_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PictureBar:
    """One bar. Lengths are the SVG's; ``start`` is UTC microseconds, ``href`` narrows to it."""

    x: float
    y: float
    width: float
    height: float
    start: int
    count: int
    href: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws. ``most`` is the highest bar's count."""

    bars: tuple[PictureBar, ...]
    step: int
    total: int
    most: int
    width: int = WIDTH
    height: int = HEIGHT


def picture_of(histogram: Histogram, link: Callable[[int, int], str]) -> Picture:
    """Return the bars, side by side; ``link(since, until)`` is an address for one bar's time."""
    most = max((bar.count for bar in histogram.bars), default=0)
    slot = WIDTH / max(len(histogram.bars), 1)
    bars = []
    for place, bar in enumerate(histogram.bars):
        height = round(bar.count * HEIGHT / most, 2) if most else 0.0
        height = max(height, 2.0) if bar.count else 0.0  # one event among thousands is seen, too
        until = bar.start + histogram.step * _SECOND
        bars.append(
            PictureBar(
                x=round(place * slot, 2),
                y=round(HEIGHT - height, 2),
                width=round(max(slot - _GAP, 0.5), 2),
                height=height,
                start=bar.start,
                count=bar.count,
                href=link(bar.start, until),
            )
        )
    return Picture(tuple(bars), histogram.step, histogram.total, most)
