from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iam.adapters.shipped import policy_compiler
from iam.core.circumstances import (
    address_key,
    is_compliant,
    is_fresh,
    local_time,
    version_numbers,
    zones_of,
)
from iam.core.policy_data import read_policy_data
from iam.errors.zero_trust import PolicyInvalid
from iam.models.zero_trust import PolicyData, Posture, PostureRule, RiskLimits, WorkingTime
from secops.kernel.clock import HOUR, from_rfc3339

EMPTY = PolicyData()
WHOLE = """
[zones]
office = ["10.0.0.0/8", "2001:db8::/32"]
lab = ["192.0.2.0/24"]
[working_time]
offset = "-03:30"
days = [1, 2]
begins = "09:00"
ends = "24:00"
holidays = ["2026-10-01", 2026-10-02]
workdays = ["2026-10-10"]
[risk]
step_up = 30
refuse = 60
end_session = 101
[posture]
report_hours = 8
disk_encrypted = false
screen_lock = false
least_versions = {windows = "10.0.19045"}
[grades]
log = 3
"""


def test_every_section_is_read() -> None:
    data = read_policy_data(WHOLE, EMPTY)
    assert data.zones == (
        ("lab", (ip_network("192.0.2.0/24"),)),
        ("office", (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))),
    )
    assert data.working == WorkingTime(
        -210,
        frozenset({1, 2}),
        540,
        1_440,
        frozenset({"2026-10-01", "2026-10-02"}),
        frozenset({"2026-10-10"}),
    )
    assert data.risk == RiskLimits(30, 60, 101)
    assert data.posture == PostureRule(
        8,
        disk_encrypted=False,
        screen_lock=False,
        least_versions=(("windows", (10, 0, 19045)),),
    )
    assert data.grades == (("log", 3),)


def test_what_is_left_out_stays_as_it_was() -> None:
    whole = read_policy_data(WHOLE, EMPTY)
    assert read_policy_data("", whole) == whole
    assert read_policy_data("[risk]\nstep_up = 31", whole).risk == RiskLimits(31, 60, 101)


def test_the_shipped_tables_are_the_defaults_and_name_no_network() -> None:
    shipped = read_policy_data(policy_compiler().shipped_data(), EMPTY)
    assert (shipped.zones, shipped.risk, shipped.working, shipped.posture) == (
        (),
        RiskLimits(),
        WorkingTime(),
        PostureRule(),
    )
    assert dict(shipped.grades)["key"] == 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x" * 65_537, "65536 characters"),
        ("= 1", "not TOML"),
        ("[nothing]", "nothing"),
        ("zones = 1", "zones"),
        ("[zones]\nOffice = ['10.0.0.0/8']", "zones"),
        ("[zones]\noffice = []", "zones.office"),
        ("[zones]\noffice = '10.0.0.0/8'", "zones.office"),
        ("[zones]\noffice = ['10.0.0.1/8']", "zones.office"),
        ("[zones]\noffice = [10]", "zones.office"),
        ("[zones]\n" + "\n".join(f"z{n} = ['10.0.0.0/8']" for n in range(65)), "64 zones"),
        ("[working_time]\noffset = 8", "working_time.offset"),
        ("[working_time]\noffset = '8'", "working_time.offset"),
        ("[working_time]\ndays = 5", "working_time.days"),
        ("[working_time]\ndays = []", "working_time.days"),
        ("[working_time]\ndays = [0]", "working_time.days"),
        ("[working_time]\ndays = [true]", "working_time.days"),
        ("[working_time]\nbegins = '8'", "working_time.begins"),
        ("[working_time]\nbegins = 8", "working_time.begins"),
        ("[working_time]\nends = '24:30'", "working_time.ends"),
        ("[working_time]\nbegins = '18:00'\nends = '09:00'", "working_time.begins"),
        ("[working_time]\nholidays = ['tomorrow']", "working_time.holidays"),
        ("[working_time]\nholidays = 1", "working_time.holidays"),
        (
            "[working_time]\nholidays = ['2026-01-01']\nworkdays = ['2026-01-01']",
            "working_time.workdays",
        ),
        ("[working_time]\nlunch = 1", "working_time.lunch"),
        ("[risk]\nstep_up = 0", "risk.step_up"),
        ("[risk]\nstep_up = true", "risk.step_up"),
        ("[risk]\nstep_up = 90", "risk"),
        ("[posture]\ndisk_encrypted = 1", "posture.disk_encrypted"),
        ("[posture]\nleast_versions = 1", "posture.least_versions"),
        ("[posture.least_versions]\nwindows = 'ten'", "posture.least_versions"),
        ("[posture.least_versions]\nwindows = 10", "posture.least_versions"),
        ("[grades]\nlog = 6", "grades.log"),
        ("[grades]\n" + "\n".join(f"g{n} = 1" for n in range(201)), "200 kinds"),
    ],
)
def test_what_is_not_of_its_shape_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        read_policy_data(text, EMPTY)
    assert place in refused.value.detail


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    try:
        read_policy_data(text, EMPTY)
    except PolicyInvalid:
        return


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-05T00:30:00Z", (8, 1, False, True)),  # Monday 08:30 in Beijing
        ("2026-01-05T00:29:59Z", (8, 1, False, False)),
        ("2026-01-05T10:00:00Z", (18, 1, False, False)),
        ("2026-01-03T04:00:00Z", (12, 6, True, False)),  # Saturday
        ("2026-01-02T04:00:00Z", (12, 5, True, False)),  # a holiday on a Friday
        ("2026-01-04T04:00:00Z", (12, 7, False, True)),  # a Sunday that is worked
    ],
)
def test_working_time_knows_holidays_and_make_up_days(
    moment: str, expected: tuple[int, int, bool, bool]
) -> None:
    rule = WorkingTime(holidays=frozenset({"2026-01-02"}), workdays=frozenset({"2026-01-04"}))
    found = local_time(from_rfc3339(moment), rule)
    assert (found.hour, found.weekday, found.holiday, found.working) == expected


@pytest.mark.parametrize(
    ("address", "zones"),
    [
        ("10.255.255.255", ("office",)),
        ("::ffff:10.0.0.1", ("office",)),
        ("2001:db8::1", ("office",)),
        ("192.0.2.9", ("lab",)),
        ("11.0.0.1", ()),
        ("", ()),
        ("10.0.0.1.evil.example", ()),
        ("10.0.0.01", ()),
    ],
)
def test_zones_hold_addresses_however_they_are_written(address: str, zones: tuple[str]) -> None:
    assert zones_of(address, read_policy_data(WHOLE, EMPTY)) == zones


def test_an_address_is_locked_by_itself_and_ipv6_by_its_network() -> None:
    assert [address_key(text) for text in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8::a:1")] == [
        "192.0.2.1",
        "192.0.2.1",
        "2001:db8::/64",
    ]


def test_a_report_counts_for_the_hours_of_the_rule() -> None:
    rule = PostureRule(report_hours=1)
    now = 100 * HOUR
    assert [is_fresh(at, now, rule) for at in (0, now - HOUR - 1, now - HOUR, now)] == [
        False,
        False,
        True,
        True,
    ]


def posture(system: str, version: str, *, encrypted: bool, locked: bool) -> Posture:
    return Posture(system, version, encrypted, locked, 0)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, False),
        (posture("windows", "10.0.19045", encrypted=True, locked=True), True),
        (posture("windows", "10.0.19044.9", encrypted=True, locked=True), False),
        (posture("windows", "ten", encrypted=True, locked=True), False),
        (posture("windows", "10.0.19045", encrypted=False, locked=True), False),
        (posture("windows", "10.0.19045", encrypted=True, locked=False), False),
        (posture("linux", "whatever", encrypted=True, locked=True), True),
    ],
)
def test_a_device_is_as_the_rule_demands_or_not(said: Any, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_compliant(said, PostureRule(least_versions=(("windows", (10, 0, 19045)),))) == (
        expected
    )


def test_what_a_rule_does_not_demand_does_not_count() -> None:
    lenient = PostureRule(disk_encrypted=False, screen_lock=False)
    assert is_compliant(posture("x", "1", encrypted=False, locked=False), lenient)


def test_versions_are_numbers_up_to_the_first_word() -> None:
    assert [version_numbers(text) for text in ("10.0.1", "6.1.0-18-amd64", "x")] == [
        (10, 0, 1),
        (6, 1),
        (),
    ]
