"""Working days, deadlines of notices, their reminders and scores."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.adapters.packaged import PackagedLibrary
from playbooks.core.notices.deadlines import (
    check_extension,
    debts_of,
    receive_due,
    rectify_due,
    stage_of,
    verify_due,
)
from playbooks.core.notices.scoring import Delivered, score_units
from playbooks.core.notices.workdays import (
    due_after,
    end_of,
    is_worked,
    merged,
    read_calendar,
)
from playbooks.errors.notices import CalendarInvalid, ExtensionRefused
from playbooks.models.calendars import WorkCalendar
from playbooks.models.notices import Debt, Delivery
from secops.kernel.clock import BEIJING, DAY, HOUR, MINUTE, SECOND, beijing_day, from_datetime

CALENDAR = read_calendar(PackagedLibrary().working_days())
PENDING = Delivery("ntc_1", "org_a", "org_root", "pending", 10 * DAY, 20 * DAY, "high", 9 * DAY)


def beijing(year: int, month: int, day: int, hour: int = 9) -> int:
    return from_datetime(datetime(year, month, day, hour, tzinfo=UTC)) - BEIJING


def test_the_packaged_tables_say_who_decreed_them_and_count_as_decreed() -> None:
    assert sorted(CALENDAR.years) == [2025, 2026]
    # 法定: 365 days, less weekends and holidays on weekdays, plus days made up
    days = {
        year: sum(is_worked(CALENDAR, date(year, 1, 1) + timedelta(n)) for n in range(365))
        for year in (2025, 2026)
    }
    assert days == {2025: 248, 2026: 248}
    assert all("国务院办公厅" in table.source for table in CALENDAR.years.values())


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ((2026, 9, 29), 3, date(2026, 10, 9)),  # over National Day
        ((2026, 9, 29), 4, date(2026, 10, 10)),  # a Saturday that is worked
        ((2026, 2, 13), 1, date(2026, 2, 14)),  # the Saturday before Spring Festival
        ((2026, 2, 14), 1, date(2026, 2, 24)),
        ((2026, 1, 1), 3, date(2026, 1, 6)),  # Sunday the 4th is worked
        ((2025, 12, 31), 1, date(2026, 1, 4)),
    ],
)
def test_working_days_skip_holidays_and_take_days_made_up(
    start: tuple[int, int, int], days: int, end: date
) -> None:
    found = due_after(CALENDAR, beijing(*start), days)
    assert (found.at, found.guessed) == (end_of(end), ())


def test_a_year_that_nobody_entered_is_reckoned_by_weekdays_and_says_so() -> None:
    found = due_after(CALENDAR, beijing(2026, 12, 30), 3)
    assert (found.at, found.guessed) == (end_of(date(2027, 1, 4)), (2027,))
    entered = read_calendar(
        {
            "years": {
                "2027": {"source": "x", "off": [["2027-01-01", "2027-01-03"]], "worked": []},
                "2026": {"source": "own", "off": [], "worked": []},
            }
        }
    )
    whole = merged(CALENDAR, entered)
    found = due_after(whole, beijing(2026, 12, 30), 3)
    assert (found.at, found.guessed) == (end_of(date(2027, 1, 5)), ())
    assert (whole.years[2026].source, sorted(whole.years)) == ("own", [2025, 2026, 2027])


def test_days_are_beijings_and_end_with_their_last_second() -> None:
    assert beijing_day(beijing(2026, 3, 2, 0)) == date(2026, 3, 2)
    assert beijing_day(beijing(2026, 3, 2, 0) - 1) == date(2026, 3, 1)
    assert end_of(date(2026, 3, 2)) == beijing(2026, 3, 3, 0) - SECOND


@given(
    st.integers(0, 800).map(lambda n: beijing(2025, 1, 1) + n * DAY),
    st.integers(1, 60),
)
def test_a_deadline_has_exactly_its_working_days_before_it(start: int, days: int) -> None:
    found = due_after(CALENDAR, start, days)
    first, last = beijing_day(start), beijing_day(found.at)
    between = [first + timedelta(n) for n in range(1, (last - first).days + 1)]
    assert sum(is_worked(CALENDAR, day) for day in between) == days
    assert is_worked(CALENDAR, last)
    assert found.guessed == tuple(sorted({d.year for d in between} - {2025, 2026}))


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_deadline_has_a_sensible_number_of_days(days: int) -> None:
    with pytest.raises(ValueError, match="1 to 366"):
        due_after(CALENDAR, beijing(2026, 1, 5), days)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"years": []},
        {"years": {"26": {}}},
        {"years": {"99999": {}}},
        {"years": {"２０２７": {}}},
        {"years": {"2027": []}},
        {"years": {"2027": {"source": "x", "off": []}}},
        {"years": {"2027": {"source": "", "off": [], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": {}, "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [], "worked": {}}}},
        {"years": {"2027": {"source": "x", "off": [["2027-01-01"]], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [["2027-02-01", "2027-01-01"]], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [["2027-01-01", "2027-12-31"]], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [["2026-12-31", "2027-01-01"]], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [[1, 2]], "worked": []}}},
        {"years": {"2027": {"source": "x", "off": [], "worked": ["tomorrow"]}}},
        {"years": {"2027": {"source": "x", "off": [], "worked": ["2027-01-04"]}}},
        {
            "years": {
                "2027": {
                    "source": "x",
                    "off": [["2027-01-02", "2027-01-02"]],
                    "worked": ["2027-01-02"],
                }
            }
        },
    ],
)
def test_a_table_that_can_not_be_is_refused(value: object) -> None:
    with pytest.raises(CalendarInvalid):
        read_calendar(value)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=9,
    )
)
def test_a_table_is_read_or_refused(value: object) -> None:
    for tried in (value, {"years": value}, {"years": {"2027": value}}):
        with contextlib.suppress(CalendarInvalid):
            assert isinstance(read_calendar(tried), WorkCalendar)


def test_the_policy_gives_two_or_24_hours_and_3_10_or_30_working_days() -> None:
    at = beijing(2026, 3, 2)
    assert (receive_due(at, urgent=True), receive_due(at, urgent=False)) == (
        at + 2 * HOUR,
        at + DAY,
    )
    ends = [rectify_due(CALENDAR, at, severity).at for severity in ("high", "medium", "low")]
    assert ends == [end_of(date(2026, 3, 5)), end_of(date(2026, 3, 16)), end_of(date(2026, 4, 14))]
    assert verify_due(CALENDAR, at).at == end_of(date(2026, 3, 5))


def test_what_is_owed_follows_from_the_state() -> None:
    def kinds(delivery: Delivery) -> list[str]:
        return [debt.what for debt in debts_of(delivery)]

    assert kinds(PENDING) == ["receive", "rectify"]
    assert kinds(replace(PENDING, state="received")) == ["rectify"]
    assert kinds(replace(PENDING, state="rectified", verify_due=30 * DAY)) == ["verify"]
    assert kinds(replace(PENDING, state="rectified")) == []
    assert kinds(replace(PENDING, state="closed")) == []


def test_reminders_come_once_before_and_daily_after_and_end() -> None:
    def stages(debt: Debt, *instants: int) -> list[str]:
        return [((found := stage_of(debt, 9 * DAY, at)) and found[0]) or "" for at in instants]

    receive = Debt("receive", 10 * DAY)
    assert stages(
        receive,
        10 * DAY - 4 * HOUR,
        10 * DAY - 4 * HOUR + 1,
        10 * DAY,
        10 * DAY + 1,
        11 * DAY,
        40 * DAY,
        41 * DAY,
    ) == ["", "urge", "urge", "supervise-0", "supervise-1", "supervise-30", ""]
    urgent = Debt("receive", 9 * DAY + 2 * HOUR)
    assert stages(urgent, urgent.due - 30 * MINUTE, urgent.due - 29 * MINUTE) == ["", "urge"]
    rectify = Debt("rectify", 20 * DAY)
    assert stages(rectify, 19 * DAY, 19 * DAY + 1) == ["", "urge"]
    found = stage_of(rectify, 0, 23 * DAY)
    assert found is not None
    assert found[1].zh == "督办(逾期 3 天)"


def test_an_extension_is_asked_for_in_time_seldom_and_short() -> None:
    received = replace(PENDING, state="received")
    check_extension(received, 3, received.rectify_due)
    for delivery, days, at in (
        (received, 3, received.rectify_due + 1),
        (PENDING, 3, 0),
        (replace(received, state="rectified"), 3, 0),
        (replace(received, extensions=2), 3, 0),
        (received, 0, 0),
        (received, 4, 0),
    ):
        with pytest.raises(ExtensionRefused):
            check_extension(delivery, days, at)


def test_scores_follow_the_formula() -> None:
    good = replace(
        PENDING, state="closed", ending="verified", received_at=1, rectified_at=2, closed_at=3
    )
    late = replace(good, org_id="org_b", late=("receive",), rounds=1)
    fresh = replace(PENDING, org_id="org_c")
    gone = replace(PENDING, org_id="org_d", state="closed", ending="withdrawn")
    scores = score_units(
        [
            Delivered(good, "detector:x"),
            Delivered(late, ""),
            Delivered(fresh, ""),
            Delivered(gone, ""),
            Delivered(replace(good, notice_id="ntc_2"), "detector:x"),
        ],
        5 * DAY,
    )
    found = {score.org_id: score for score in scores}
    assert [(s.org_id, s.score) for s in scores] == [("org_b", 600), ("org_c", 600), ("org_a", 900)]
    assert (found["org_a"].repeated, found["org_a"].owed, found["org_a"].in_time) == (1, 4, 4)
    assert (found["org_b"].returned, found["org_b"].in_time) == (1, 1)
    assert (found["org_c"].owed, found["org_c"].closed) == (0, 0)
    assert score_units([Delivered(fresh, "")], 30 * DAY)[0].score == 200


@given(
    st.lists(
        st.builds(
            lambda state, ending, rounds, late, unit: Delivered(
                replace(
                    PENDING,
                    state=state,
                    ending=ending if state == "closed" else "",
                    rounds=rounds,
                    late=late,
                    org_id=unit,
                    received_at=None if state == "pending" else 1,
                ),
                "detector:x" if rounds % 2 else "",
            ),
            st.sampled_from(["pending", "received", "responded", "rectified", "closed"]),
            st.sampled_from(["verified", "appealed", "withdrawn"]),
            st.integers(0, 9),
            st.sampled_from([(), ("receive",), ("rectify-0",)]),
            st.sampled_from(["org_a", "org_b"]),
        ),
        max_size=12,
    ),
    st.integers(0, 60 * DAY),
)
def test_no_score_leaves_its_scale(delivered: list[Delivered], now: int) -> None:
    for score in score_units(delivered, now):
        assert 0 <= score.score <= 1_000
        assert 0 <= score.in_time <= score.owed
        assert score.closed <= score.notices
