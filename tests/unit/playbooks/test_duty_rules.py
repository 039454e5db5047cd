"""Who is on duty, where nobody is, and who is called after whom."""

from __future__ import annotations

import pytest

from playbooks.core.duty import (
    DEFAULT_POLICY,
    check_members,
    check_policy,
    holes,
    on_duty,
    overlaps,
    receivers,
)
from playbooks.models.duty import Hole, Member, PolicyStep, Roster, Shift

WANG, ZHAO, QIAN = (Member(f"acc_{n}", n, "chn_1", n == "qian") for n in ("wang", "zhao", "qian"))
ROSTER = Roster("ros_1", "org_a", "soc", (WANG, ZHAO, QIAN), DEFAULT_POLICY, "acc_a", 0)


def shift(begins: int, ends: int, primary: str = "acc_wang", deputy: str = "acc_zhao") -> Shift:
    return Shift(f"sft_{begins}", "org_a", "ros_1", begins, ends, primary, deputy, "acc_a", 0)


def test_the_shift_that_began_last_counts_and_its_end_belongs_to_the_next() -> None:
    some = [shift(0, 10), shift(10, 20), shift(8, 12)]
    assert on_duty(some, 9) == some[2]
    assert on_duty(some, 12) == some[1]
    assert on_duty(some, 20) is None


def test_holes_are_found_at_both_ends_between_and_behind_absent_people() -> None:
    some = [shift(10, 20), shift(30, 40, "acc_zhao"), shift(35, 38), shift(90, 99)]
    assert holes(some, (0, 50), {"acc_zhao"}) == (
        Hole(0, 10),
        Hole(20, 30),
        Hole(30, 40, "acc_zhao"),
        Hole(40, 50),
    )
    assert holes([shift(0, 50)], (0, 50), ()) == ()


def test_shifts_that_only_touch_do_not_overlap() -> None:
    assert not overlaps([shift(0, 10)], 10, 20)
    assert overlaps([shift(0, 10)], 9, 20)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("primary", (WANG,)),
        ("deputy", (ZHAO,)),
        ("lead", (QIAN,)),
        ("all", (WANG, ZHAO, QIAN)),
    ],
)
def test_a_step_calls_its_people(to: str, expected: tuple[Member, ...]) -> None:
    assert receivers(to, ROSTER, shift(0, 10)) == expected  # type: ignore[arg-type]


def test_where_nobody_is_on_duty_the_leads_are_called_and_without_leads_everybody() -> None:
    assert receivers("primary", ROSTER, None) == (QIAN,)
    assert receivers("deputy", ROSTER, shift(0, 10, deputy="")) == (QIAN,)
    leaderless = Roster("r", "o", "n", (WANG, ZHAO), DEFAULT_POLICY, "a", 0)
    assert receivers("primary", leaderless, None) == (WANG, ZHAO)


def test_members_are_some_and_each_once() -> None:
    assert check_members([WANG, ZHAO]) == ""
    assert "1 to 50" in check_members([])
    assert "twice" in check_members([WANG, WANG])


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([("primary", 0), ("all", 5)], ""),
        ([], "1 to 10 steps"),
        ([("boss", 0)], "a step calls"),
        ([("primary", 1)], "begin at minute 0"),
        ([("primary", 0), ("all", 0)], "begin at minute 0"),
        ([("primary", 0), ("all", 1441)], "begin at minute 0"),
    ],
)
def test_a_policy_begins_at_once_and_goes_on_later(
    steps: list[tuple[str, int]], problem: str
) -> None:
    policy = [PolicyStep(to, after) for to, after in steps]  # type: ignore[arg-type]
    assert problem in check_policy(policy)
    assert bool(problem) == bool(check_policy(policy))
