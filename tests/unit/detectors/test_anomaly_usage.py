"""Volume, rarity and first uses: robust baselines by hand and by property."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.core.anomaly.usage import (
    Baseline,
    UsageProfile,
    Use,
    by_hour,
    first_uses,
    learn_usage,
    median_among,
    unusual_volumes,
    usage_from_record,
    usage_to_record,
)
from secops.kernel.clock import DAY, HOUR, MINUTE, from_rfc3339

MONDAY = from_rfc3339("2026-06-01T00:00:00Z")  # 08:00 in Beijing


def use(at: int, account: str = "ann", target: str = "key:1", peers: str = "org") -> Use:
    hour = (at - MONDAY) // HOUR % 168 + 8
    return Use(at, account, peers, "key_use", target, hour % 168, f"e{at}{account}{target}")


def steady(weeks: int = 8, a_day: int = 5, account: str = "ann") -> list[Use]:
    return [
        use(MONDAY + week * 7 * DAY + day * DAY + 2 * HOUR + n * MINUTE, account)
        for week in range(weeks)
        for day in range(5)
        for n in range(a_day)
    ]


def burst(count: int, at: int, account: str = "ann", peers: str = "org") -> list[Use]:
    return [use(at + n * 1_000_000, account, peers=peers) for n in range(count)]


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 9), st.integers(0, 30))
def test_the_median_is_that_of_all_values_written_out(
    values: list[int], repeated: int, times: int
) -> None:
    if not values and not times:
        return
    expected = median([*values, *[repeated] * times])
    assert median_among([float(v) for v in values], float(repeated), times) == expected


def test_the_outlier_worked_by_hand() -> None:
    assert Baseline(10, 2, 8).outlier(40) == pytest.approx(30 / max(1.4826 * 2, 11**0.5))
    assert Baseline(0, 0, 8).outlier(20) == 20


def test_a_burst_in_a_usual_hour_is_an_outlier_of_that_hour() -> None:
    profile = learn_usage(steady())
    later = MONDAY + 9 * 7 * DAY + 2 * HOUR
    (found,) = unusual_volumes(profile, burst(60, later))
    assert (found.account, found.count, found.basis) == ("ann", 60, "own hour of the week")
    assert found.baseline.middle == 5
    assert not unusual_volumes(profile, burst(8, later))


def test_a_burst_in_a_quiet_hour_is_one_too() -> None:
    profile = learn_usage(steady())
    night = MONDAY + 9 * 7 * DAY + 15 * HOUR
    (found,) = unusual_volumes(profile, burst(25, night))
    assert (found.baseline.middle, found.basis) == (0, "never in own quiet hours")
    assert not unusual_volumes(profile, burst(19, night))


def test_without_history_of_its_own_an_account_is_measured_by_its_peers() -> None:
    profile = learn_usage([*steady(account="ann"), *steady(account="bob")])
    later = MONDAY + 9 * 7 * DAY + 2 * HOUR
    (found,) = unusual_volumes(profile, burst(80, later, "new"))
    assert found.basis == "peers' work hours"
    assert not unusual_volumes(profile, burst(80, later, "new", peers="strangers"))


def test_the_work_hours_stand_in_where_the_hour_itself_is_new() -> None:
    profile = learn_usage(steady())
    afternoon = MONDAY + 9 * 7 * DAY + 6 * HOUR
    (found,) = unusual_volumes(profile, burst(60, afternoon))
    assert found.basis == "own work hours"


def test_a_first_use_counts_for_an_account_with_habits() -> None:
    history = steady()
    profile = learn_usage(history)
    later = MONDAY + 9 * 7 * DAY
    (found,) = first_uses(profile, [use(later, target="seal:9"), use(later + 1, target="seal:9")])
    assert (found.use.target, found.own_before, found.peers_before) == ("seal:9", 1, 1)
    assert not first_uses(profile, [use(later)])
    assert not first_uses(profile, [use(later, "new", "seal:9")])
    young = learn_usage(burst(40, MONDAY))
    assert not first_uses(young, [use(MONDAY + DAY, target="seal:9")])


def test_what_a_peer_used_is_no_first_use() -> None:
    profile = learn_usage([*steady(), use(MONDAY, "bob", "seal:9")])
    assert not first_uses(profile, [use(MONDAY + 9 * 7 * DAY, target="seal:9")])


def test_uses_are_grouped_by_the_hour() -> None:
    groups = by_hour([use(MONDAY), use(MONDAY + MINUTE), use(MONDAY + HOUR)])
    assert sorted(len(group) for group in groups.values()) == [1, 2]


def test_a_profile_survives_its_record() -> None:
    profile = learn_usage([*steady(), use(MONDAY, "bob", "seal:9")])
    again = usage_from_record(orjson.loads(orjson.dumps(usage_to_record(profile))))
    assert again == profile


def test_nothing_was_used() -> None:
    empty = learn_usage([])
    assert empty == UsageProfile({}, {}, {}, {})
    assert empty.baseline_of(use(MONDAY)) == (Baseline(0.0, 0.0, 0), "nothing")
    weekend = replace(use(MONDAY), hour=5 * 24 + 10)
    assert not unusual_volumes(empty, [weekend] * 50)


def test_a_burst_by_day_of_who_only_works_by_night_is_one_too() -> None:
    nights = [
        replace(each, at=each.at + 12 * HOUR, hour=(each.hour + 12) % 168) for each in steady()
    ]
    later = MONDAY + 9 * 7 * DAY + 2 * HOUR
    (found,) = unusual_volumes(learn_usage(nights), burst(25, later))
    assert found.basis == "never in own work hours"
