"""A week of a roster as a picture: a row a day, a bar a shift, a gap where nobody is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playbooks.models.duty import Shift
from secops.kernel.clock import BEIJING, DAY

WIDTH: Final = 960
ROW: Final = 26
DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a shift on one day, and its place in the picture."""

    x: float
    y: float
    width: float
    shift: Shift


@dataclass(frozen=True, slots=True)
class WeekPicture:
    """The bars of ``days`` (instants of midnight, Beijing) in a picture of that size."""

    days: tuple[int, ...]
    bars: tuple[Bar, ...]
    width: int = WIDTH
    row: int = ROW

    @property
    def height(self) -> int:
        """How high the picture is."""
        return len(self.days) * self.row


def monday_of(instant: int) -> int:
    """Return the midnight (Beijing) with which the week of ``instant`` begins."""
    day = (instant + BEIJING) // DAY
    return (day - (day + 3) % DAYS) * DAY - BEIJING  # 1970-01-01 was a Thursday


def week_picture(monday: int, shifts: Sequence[Shift]) -> WeekPicture:
    """Return the picture of the week that begins at ``monday``."""
    days = tuple(monday + number * DAY for number in range(DAYS))
    bars = []
    for row, day in enumerate(days):
        for shift in shifts:
            begins, ends = max(shift.starts_at, day), min(shift.ends_at, day + DAY)
            if begins < ends:
                left = round((begins - day) * WIDTH / DAY, 1)
                width = max(round((ends - begins) * WIDTH / DAY, 1), 2.0)
                bars.append(Bar(left, row * ROW + 3, width, shift))
    return WeekPicture(days, tuple(bars))
