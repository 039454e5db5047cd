"""The level that harm leads to, and the one cell that sources dispute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from audits.core.gbt22240.grading import grade
from audits.errors import CalculationRefused
from audits.models.calculations import Degree, Harmed


@pytest.mark.parametrize(
    ("who", "levels"),
    [("citizens", (1, 2, 2)), ("society", (2, 3, 4)), ("state", (3, 4, 5))],
)
def test_the_table(who: Harmed, levels: tuple[int, ...]) -> None:
    degrees: tuple[Degree, ...] = ("ordinary", "serious", "grave")
    assert tuple(grade({who: each}, {who: each}).level for each in degrees) == levels


def test_the_level_is_the_greater_of_s_and_a() -> None:
    graded = grade({"citizens": "serious", "society": "ordinary"}, {"society": "serious"})
    assert (graded.s_level, graded.a_level, graded.level, graded.sag) == (2, 3, 3, "S2A3G3")
    assert graded.retest_months == 12
    assert graded.figures["result"] == "S2A3G3"


def test_doubts_stand_beside_what_is_doubtful() -> None:
    def told(word: str, information: Mapping[Harmed, Degree]) -> bool:
        graded = grade(information, {"citizens": "ordinary"})
        return any(word in doubt.zh for doubt in graded.doubts)

    assert told("GA/T 1389", {"citizens": "grave"})
    assert not told("GA/T 1389", {"citizens": "serious"})
    assert told("每两年", {"citizens": "serious"})
    assert told("不在本产品目录", {"state": "grave"})
    assert not told("不在本产品目录", {"state": "serious"})
    assert told("定级辅助", {"citizens": "ordinary"})
    assert grade({"citizens": "ordinary"}, {"citizens": "ordinary"}).retest_months is None


@pytest.mark.parametrize("harm", [{}, {"nobody": "grave"}, {"state": "dreadful"}])
def test_harm_that_the_table_does_not_know_is_refused(harm: dict[str, str]) -> None:
    with pytest.raises(CalculationRefused):
        grade(cast("Any", harm), {"citizens": "ordinary"})
