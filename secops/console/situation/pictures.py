"""Lines and bands of the situation page, as places in an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from detectors.models.situation import ExpectedDay

WIDTH: Final = 960
HEIGHT: Final = 160
SPARK_WIDTH: Final = 160
SPARK_HEIGHT: Final = 32
_EDGE: Final = 2


def spark(values: Sequence[int]) -> str:
    """Return the points of a small line, the oldest value first; "" for fewer than two."""
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    most, step = max(*values, 1), SPARK_WIDTH / (len(values) - 1)
    tall = SPARK_HEIGHT - 2 * _EDGE
    return " ".join(
        f"{place * step:.1f},{SPARK_HEIGHT - _EDGE - value * tall / most:.1f}"
        for place, value in enumerate(values)
    )


@dataclass(frozen=True, slots=True)
class VolumePicture:
    """Bars of days that are over, then a line of what is expected within its band."""

    bars: tuple[tuple[float, float, float, float], ...]
    line: str
    band: str
    seam: float
    width: int = WIDTH
    height: int = HEIGHT


def volume_picture(counts: Sequence[int], expected: Sequence[ExpectedDay]) -> VolumePicture:
    """Return the picture; each day has the same width, and the highest value the whole height."""
    slot = WIDTH / max(len(counts) + len(expected), 1)
    most = max([1.0, *map(float, counts), *(day.high for day in expected)])

    def height(value: float) -> float:
        return round(value * HEIGHT / most, 2)

    bars = tuple(
        (round(place * slot, 2), HEIGHT - height(count), round(slot - 2, 2), height(count))
        for place, count in enumerate(counts)
    )
    seam = len(counts) * slot
    middles = [round(seam + (place + 0.5) * slot, 2) for place in range(len(expected))]

    def points(values: Sequence[float], places: Sequence[float]) -> list[str]:
        return [f"{x},{HEIGHT - height(y)}" for x, y in zip(places, values, strict=True)]

    upper = points([day.high for day in expected], middles)
    lower = points([day.low for day in expected], middles)
    return VolumePicture(
        bars,
        " ".join(points([day.expected for day in expected], middles)),
        " ".join([*upper, *reversed(lower)]),
        round(seam, 2),
    )
