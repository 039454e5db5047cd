"""符合率 and conclusion by the 2025 report template, as its questions and answers tell them.

Source: 公网安〔2025〕1846号 Q19–22, read as a digest: 符合 needs a rate higher than 90 % and
no 重大风险隐患, 基本符合 is above 60, 不符合 below. The formula of the rate was not found, so
both readings are computed and the strict one decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final, Literal

from audits.core.gbt22239.editions import TEMPLATE_2025, applies_2025, date_doubts
from audits.errors import CalculationRefused
from audits.models.assessments import STATUSES, Status
from audits.models.calculations import Majors, Rate2025
from secops.kernel.catalogue import Text
from secops.kernel.rounding import percent

Reading = Literal["strict", "weighted"]
COMPLIANT_FROM: Final = Fraction(9, 10)
BASICALLY_FROM: Final = Fraction(6, 10)
CONCLUSIONS: Final = {
    "compliant": Text("推算结论: 符合", "estimated conclusion: compliant"),
    "basically": Text("推算结论: 基本符合", "estimated conclusion: basically compliant"),
    "not": Text("推算结论: 不符合", "estimated conclusion: not compliant"),
}
_FORMULA: Final = Text(
    "推算: 符合率公式未找到官方出处, 严格计 = 符合/(测评项 − 不适用), 加权计中部分符合按 0.5",
    "estimate: no official formula of the rate was found; strict = compliant / (items − not"
    " applicable), weighted counts partly compliant as 0.5",
)
_BETWEEN: Final = Text("两种计法得出的结论不同", "the two readings lead to different conclusions")
_WITH_MAJOR: Final = Text(
    "符合率达到 90% 但有重大风险隐患: 来源未说明, 推为基本符合",
    "the rate reaches 90 % but there is a major risk: not said by the source, inferred as"
    " basically compliant",
)
_RECTIFIED: Final = Text(
    "重大风险隐患均已整改: 来源未说明结论是否按整改前计, 此处按整改前",
    "all major risks are rectified: the source does not say whether the conclusion counts them;"
    " here it does",
)
_EXACT: Final = Text(
    "符合率正好等于界线: 来源只说高于或低于, 此处按参数 inclusive",
    "the rate stands exactly on the line: the source says only higher and lower; the parameter"
    " inclusive decides here",
)
_OPEN: Final = Text(
    "有未核查项: 不给出结论, 符合率按未核查不计为符合",
    "items are not assessed: no conclusion; the rate does not count them as compliant",
)
_NOTHING: Final = Text("没有适用的测评项", "no item is applicable")


def rate_2025(
    counts: Mapping[Status, int],
    majors: Majors,
    cover_date: date | None,
    *,
    reading: Reading = "strict",
    inclusive: bool = True,
) -> Rate2025:
    """Return both rates as exact fractions and the conclusion by ``reading``.

    Fractions are compared, rounding is for print only. Raises ``CalculationRefused`` where a
    count is negative or more major risks are rectified than found.
    """
    _check(counts, majors)
    tally = {status: counts.get(status, 0) for status in STATUSES}
    applicable = sum(tally.values()) - tally["not_applicable"]
    rates = _rates(tally, applicable)
    rate = rates.get(reading)
    judged = rate is not None and not tally["unassessed"]
    doubts = [_FORMULA, *date_doubts(cover_date)]
    if not applicable:
        doubts.append(_NOTHING)
    if tally["unassessed"]:
        doubts.append(_OPEN)
    conclusion = None
    if judged:
        readings = {
            name: _conclude(each, majors, inclusive=inclusive) for name, each in rates.items()
        }
        conclusion = CONCLUSIONS[readings[reading]]
        doubts += _doubts(rates[reading], majors, differ=len(set(readings.values())) > 1)
    return Rate2025(
        edition=TEMPLATE_2025,
        applies=applies_2025(cover_date),
        applicable=applicable,
        unassessed=tally["unassessed"],
        strict=rates.get("strict"),
        weighted=rates.get("weighted"),
        rate=rate,
        majors=majors,
        conclusion=conclusion,
        figures={
            **{name: percent(each) for name, each in rates.items()},
            "coverage": f"{applicable - tally['unassessed']}/{applicable}",
            "majors": majors.text,
        },
        parameters={
            "reading": reading,
            "inclusive": str(inclusive).lower(),
            "compliant_from": "90%",
            "basically_from": "60%",
            "partial": "0.5",
        },
        doubts=tuple(doubts),
    )


def _check(counts: Mapping[Status, int], majors: Majors) -> None:
    if any(number < 0 for number in counts.values()):
        raise CalculationRefused("a count of items is negative")
    if not 0 <= majors.rectified <= majors.found:
        raise CalculationRefused("more major risks are rectified than were found")


def _rates(tally: Mapping[Status, int], applicable: int) -> dict[Reading, Fraction]:
    if not applicable:
        return {}
    return {
        "strict": Fraction(tally["compliant"], applicable),
        "weighted": Fraction(2 * tally["compliant"] + tally["partial"], 2 * applicable),
    }


def _reaches(rate: Fraction, line: Fraction, *, inclusive: bool) -> bool:
    return rate >= line if inclusive else rate > line


def _conclude(rate: Fraction, majors: Majors, *, inclusive: bool) -> str:
    if _reaches(rate, COMPLIANT_FROM, inclusive=inclusive) and not majors.found:
        return "compliant"
    return "basically" if _reaches(rate, BASICALLY_FROM, inclusive=inclusive) else "not"


def _doubts(rate: Fraction, majors: Majors, *, differ: bool) -> list[Text]:
    doubts = [_BETWEEN] if differ else []
    if rate in (COMPLIANT_FROM, BASICALLY_FROM):
        doubts.append(_EXACT)
    if rate >= COMPLIANT_FROM and majors.found:
        doubts.append(_WITH_MAJOR)
        doubts += [_RECTIFIED] if majors.rectified == majors.found else []
    return doubts
