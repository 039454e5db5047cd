"""The scores of both report templates, by the golden values and where the sources are silent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.core.gbt22239.rate_2025 import CONCLUSIONS, Reading, rate_2025
from audits.core.gbt22239.score_2021 import score_2021
from audits.errors import CalculationRefused
from audits.models.assessments import Status
from audits.models.calculations import ItemValue, Majors, RiskLevel, Side
from secops.kernel.rounding import percent, to_places

TECHNICAL, MANAGEMENT = 96, 115
Part = tuple[int, int, Fraction | None]
"""How many items, of which weight, with which value."""
NONE, HALF, ALL = Fraction(0), Fraction(1, 2), Fraction(1)
BEFORE, THE_DAY, AFTER = date(2025, 3, 19), date(2025, 3, 20), date(2025, 3, 21)


def items(side: Side, total: int, parts: Sequence[Part]) -> list[ItemValue]:
    """Return ``total`` items of a side: ``parts``, and the rest 符合 with weight 1."""
    rest = total - sum(number for number, _, _ in parts)
    rows = [(weight, value) for number, weight, value in parts for _ in range(number)]
    rows += [(1, ALL)] * rest
    return [ItemValue(f"{side}-{n}", side, value, weight) for n, (weight, value) in enumerate(rows)]


def level_three(technical: Sequence[Part] = (), management: Sequence[Part] = ()) -> list[ItemValue]:
    return [
        *items("technical", TECHNICAL, technical),
        *items("management", MANAGEMENT, management),
    ]


EXAMPLE = level_three([(2, 3, NONE), (6, 2, HALF), (5, 1, NONE)], [(8, 1, NONE), (3, 2, HALF)])


@pytest.mark.parametrize(
    ("values", "score"),
    [
        (level_three(), "100.00"),
        (level_three([(5, 3, NONE)]), "92.89"),
        (level_three([(96, 1, HALF)]), "77.25"),
        (level_three([(96, 3, NONE)]), "50.00"),
        (EXAMPLE, "86.73"),
    ],
)
def test_the_golden_scores_of_211_items(values: list[ItemValue], score: str) -> None:
    assert len(values) == 211
    assert str(score_2021(values).score) == score


def test_each_half_is_floored_at_nothing_by_itself() -> None:
    worst = score_2021(level_three([(96, 3, NONE)], [(115, 3, NONE)]))
    nothing = Decimal(0)
    assert (worst.technical, worst.management, worst.score) == (nothing,) * 3
    assert worst.figures["V_t"] == "0.00"


def test_what_is_not_assessed_gives_a_range_and_no_score() -> None:
    scored = score_2021(level_three([(5, 3, None)]), worst_risk="none")
    assert (scored.score, scored.grade, scored.unassessed) == (None, None, 5)
    assert (str(scored.lowest), str(scored.highest)) == ("92.89", "100.00")
    assert "M" not in scored.figures
    assert any("未核查" in doubt.zh for doubt in scored.doubts)


def test_nothing_applicable_gives_nothing() -> None:
    scored = score_2021([])
    assert (scored.score, scored.lowest, scored.highest) == (None, None, None)
    assert any("没有适用" in doubt.zh for doubt in scored.doubts)


@pytest.mark.parametrize(
    ("values", "risk", "grade"),
    [
        (level_three(), "none", "优"),
        (level_three(), "low", "优"),
        (level_three(), "medium", "良"),
        (level_three(), "high", "差"),
        (EXAMPLE, "none", "良"),
        (EXAMPLE, "medium", "良"),
        (level_three([(96, 1, HALF)]), "medium", "中"),
        (level_three([(96, 3, NONE)]), "none", "差"),
    ],
)
def test_the_grade_needs_points_and_the_absence_of_risks(
    values: list[ItemValue], risk: RiskLevel, grade: str
) -> None:
    found = score_2021(values, worst_risk=risk).grade
    assert found is not None
    assert found.zh == grade


def test_without_the_worst_risk_there_is_no_grade() -> None:
    scored = score_2021(level_three())
    assert scored.grade is None
    assert any("风险等级" in doubt.zh for doubt in scored.doubts)


@pytest.mark.parametrize(
    "value",
    [
        ItemValue("x", "technical", ALL, 0),
        ItemValue("x", "technical", ALL, 4),
        ItemValue("x", "technical", Fraction(3, 2)),
        ItemValue("x", "technical", Fraction(-1, 2)),
    ],
)
def test_values_that_are_none_are_refused(value: ItemValue) -> None:
    with pytest.raises(CalculationRefused):
        score_2021([value])


@pytest.mark.parametrize(
    ("cover", "old", "new", "doubted"),
    [
        (None, None, None, 1),
        (BEFORE, True, True, 2),
        (THE_DAY, True, True, 2),
        (AFTER, False, True, 0),
    ],
)
def test_the_cover_date_says_which_edition_applies(
    cover: date | None,
    old: bool | None,  # noqa: FBT001 - parametrised
    new: bool | None,  # noqa: FBT001 - parametrised
    doubted: int,
) -> None:
    scored = score_2021(level_three(), worst_risk="none", cover_date=cover)
    rated = rate_2025({"compliant": 211}, Majors(), cover)
    assert (scored.applies, rated.applies) == (old, new)
    assert len(scored.doubts) == 2 + doubted
    assert len(rated.doubts) == 1 + doubted
    assert scored.doubts[2:] == rated.doubts[1:]


def test_the_example_of_2025() -> None:
    rated = rate_2025(
        {"not_applicable": 11, "compliant": 181, "partial": 12, "noncompliant": 7},
        Majors(),
        AFTER,
    )
    assert rated.figures == {
        "strict": "90.50%",
        "weighted": "93.50%",
        "coverage": "200/200",
        "majors": "0",
    }
    assert rated.conclusion == CONCLUSIONS["compliant"]
    assert rated.rate == rated.strict == Fraction(181, 200)


def counts(compliant: int, of: int, partial: int = 0) -> dict[Status, int]:
    return {
        "compliant": compliant,
        "partial": partial,
        "noncompliant": of - compliant - partial,
    }


@pytest.mark.parametrize(
    ("compliant", "majors", "inclusive", "conclusion"),
    [
        (951, 0, True, "compliant"),
        (951, 1, True, "basically"),
        (900, 0, True, "compliant"),
        (900, 0, False, "basically"),
        (899, 0, True, "basically"),
        (899, 5, True, "basically"),
        (600, 0, True, "basically"),
        (600, 0, False, "not"),
        (599, 0, True, "not"),
    ],
)
def test_the_conclusion_by_rate_and_major_risks(
    compliant: int,
    majors: int,
    inclusive: bool,  # noqa: FBT001 - parametrised
    conclusion: str,
) -> None:
    rated = rate_2025(counts(compliant, 1000), Majors(majors), AFTER, inclusive=inclusive)
    assert rated.conclusion == CONCLUSIONS[conclusion]
    exact = any("正好等于" in doubt.zh for doubt in rated.doubts)
    assert exact is (compliant in (600, 900))
    inferred = any("有重大风险隐患" in doubt.zh for doubt in rated.doubts)
    assert inferred is (compliant >= 900 and majors > 0)


def test_fractions_are_compared_and_not_what_is_printed() -> None:
    rated = rate_2025(counts(89_999, 100_000), Majors(), AFTER)
    assert rated.figures["strict"] == "90.00%"
    assert rated.conclusion == CONCLUSIONS["basically"]


@pytest.mark.parametrize(
    ("reading", "conclusion"), [("strict", "basically"), ("weighted", "compliant")]
)
def test_readings_that_disagree_are_told(reading: Reading, conclusion: str) -> None:
    rated = rate_2025(counts(85, 100, 14), Majors(), AFTER, reading=reading)
    assert rated.conclusion == CONCLUSIONS[conclusion]
    assert any("结论不同" in doubt.zh for doubt in rated.doubts)


def test_what_is_not_assessed_is_not_compliant_and_bars_a_conclusion() -> None:
    rated = rate_2025({"compliant": 95, "unassessed": 5}, Majors(), AFTER)
    assert (rated.strict, rated.conclusion, rated.unassessed) == (Fraction(95, 100), None, 5)
    assert rated.figures["coverage"] == "95/100"


def test_nothing_applicable_has_no_rate() -> None:
    rated = rate_2025({"not_applicable": 3}, Majors(), AFTER)
    assert (rated.strict, rated.weighted, rated.rate, rated.conclusion) == (None,) * 4


def test_major_risks_are_printed_before_and_after_rectification() -> None:
    assert Majors(10, 5).text == "10（5个已整改）"
    assert Majors(3).text == "3"
    rated = rate_2025(counts(95, 100), Majors(2, 2), AFTER)
    assert rated.conclusion == CONCLUSIONS["basically"]
    assert any("均已整改" in doubt.zh for doubt in rated.doubts)


def test_counts_that_can_not_be_are_refused() -> None:
    below: dict[Status, int] = {"compliant": -1}
    for tally, majors in ((below, Majors()), ({}, Majors(1, 2)), ({}, Majors(0, -1))):
        with pytest.raises(CalculationRefused):
            rate_2025(tally, majors, AFTER)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 6))
def test_rounding_is_half_up_and_exact(top: int, bottom: int, places: int) -> None:
    rounded = Fraction(to_places(Fraction(top, bottom), places))
    unit = Fraction(1, 10**places)
    assert -unit / 2 < Fraction(top, bottom) - rounded <= unit / 2 or (
        rounded - Fraction(top, bottom) == unit / 2
    )
    assert rounded / unit == int(rounded / unit)


def test_a_half_goes_up() -> None:
    assert to_places(Fraction(5, 1000), 2) == Decimal("0.01")
    assert to_places(Fraction(25, 1000), 2) == Decimal("0.03")
    assert percent(Fraction(1, 3)) == "33.33%"
