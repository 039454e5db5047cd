"""The forecast of alerts: what it says, how it was tried on the past, and when it says nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.alert_volume import LEAST_DAYS, TRIALS, WEEK, forecast_volume

WEEKDAYS = [10, 20, 30, 40, 50, 0, 5]


def test_a_steady_week_is_foretold_exactly() -> None:
    found = forecast_volume(WEEKDAYS * 8)
    assert found is not None
    assert [day.expected for day in found.days] == WEEKDAYS
    assert [(day.low, day.high) for day in found.days] == [(n, n) for n in WEEKDAYS]
    assert (found.trials, found.error, found.covered) == (TRIALS, 0, 1)
    assert found.naive_error == pytest.approx((10 + 10 + 10 + 10 + 50 + 5 + 5) / 7)


def test_a_single_flood_does_not_become_an_expectation() -> None:
    flooded = WEEKDAYS * 8
    flooded[-3] = 100_000
    found = forecast_volume(flooded)
    assert found is not None
    assert [day.expected for day in found.days] == WEEKDAYS
    assert found.error > 3_000


@pytest.mark.parametrize("days", [0, 1, LEAST_DAYS - 1])
def test_too_few_days_give_no_forecast(days: int) -> None:
    assert forecast_volume([3] * days) is None


def test_no_day_that_is_predicted_is_known_to_its_prediction() -> None:
    counts = [1] * LEAST_DAYS
    counts[-1] = 50
    found = forecast_volume(counts)
    assert found is not None
    assert found.error == pytest.approx(49 / found.trials)
    assert found.days[WEEK - 1].expected == pytest.approx((50 + 1 + 1) / 3, abs=17)


@given(st.lists(st.integers(0, 1_000), min_size=LEAST_DAYS, max_size=70))
def test_an_interval_holds_its_middle_or_lies_where_the_errors_lie(counts: list[int]) -> None:
    found = forecast_volume(counts)
    assert found is not None
    assert len(found.days) == WEEK
    for day in found.days:
        assert 0 <= day.low <= day.high
    assert 0 <= found.covered <= 1
    assert found.error >= 0
