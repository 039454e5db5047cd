"""How many alerts the next days will probably bring, judged by how it would have done before.

The expectation of a day is the median of the same weekday in up to eight weeks before. Nothing is
younger in it than a week, whichever of the next seven days it is for: one set of errors, those of
the past days, gives every day's interval.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from detectors.models.situation import ExpectedDay, VolumeForecast

WEEK: Final = 7
WEEKS: Final = 8
TRIALS: Final = 28
"""Past days that the back-test predicts, each from what was known a week before."""
LEAST_TRIALS: Final = 14
LEAST_DAYS: Final = WEEK + LEAST_TRIALS
_TENTHS: Final = 10


def forecast_volume(counts: Sequence[int]) -> VolumeForecast | None:
    """Return the next seven days after ``counts`` (whole days, the oldest first).

    Each interval leaves out a tenth of the back-test's errors at either end. None where fewer
    than ``LEAST_DAYS`` days are known.
    """
    if len(counts) < LEAST_DAYS:
        return None
    tried = range(max(WEEK, len(counts) - TRIALS), len(counts))
    errors = [counts[day] - _expected(counts, day) for day in tried]
    low, high = _spread(errors)
    days = []
    for ahead in range(WEEK):
        expected = _expected(counts, len(counts) + ahead)
        days.append(ExpectedDay(expected, max(0.0, expected + low), max(0.0, expected + high)))
    steps = [abs(counts[day] - counts[day - 1]) for day in tried]
    return VolumeForecast(
        days=tuple(days),
        trials=len(errors),
        error=statistics.fmean(map(abs, errors)),
        naive_error=statistics.fmean(steps),
        covered=_covered(errors) / len(errors),
    )


def _expected(counts: Sequence[int], day: int) -> float:
    weekday = [counts[past] for past in range(day - WEEK, -1, -WEEK)]
    return float(statistics.median(weekday[:WEEKS]))


def _spread(errors: Sequence[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(errors, n=_TENTHS, method="inclusive")
    return cuts[0], cuts[-1]


def _covered(errors: Sequence[float]) -> int:
    """Return how many errors lie in the interval that the others give."""
    held = 0
    for place, error in enumerate(errors):
        low, high = _spread([*errors[:place], *errors[place + 1 :]])
        held += low <= error <= high
    return held
