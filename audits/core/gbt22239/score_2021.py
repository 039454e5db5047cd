"""The score of the 2021 report template (综合得分) and its grade 优良中差, both estimates.

The formula is known from memory of the template only and the official weights of items are
not public: both are said with every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from audits.core.gbt22239.editions import TEMPLATE_2021, applies_2021, date_doubts
from audits.errors import CalculationRefused
from audits.models.calculations import ItemValue, RiskLevel, Score2021, Side
from secops.kernel.catalogue import Text
from secops.kernel.rounding import to_places

WEIGHTS: Final = (1, 2, 3)
"""一般, 重要, 关键."""
TECHNICAL_SHARE: Final = Fraction(1, 2)
"""The template's y: the share of the technical items in 100 points."""
_HUNDRED: Final = Fraction(100)
_GRADES: Final[tuple[tuple[int, tuple[RiskLevel, ...], Text], ...]] = (
    (90, ("none", "low"), Text("优", "excellent")),
    (80, ("none", "low", "medium"), Text("良", "good")),
    (70, ("none", "low", "medium"), Text("中", "fair")),
)
_POOR: Final = Text("差", "poor")
_FORMULA: Final = Text(
    "推算: 2021 版公式凭记忆录入, 尚未与模板原文核对",
    "estimate: the formula of 2021 was written from memory and not yet held against the template",
)
_WEIGHTS: Final = Text(
    "测评项权重未公开: 此处按数据文件取值(缺省均为 1)",
    "the weights of items are not public: those of our data file were used (1 by default)",
)
_OPEN: Final = Text(
    "有未核查项, 不给出得分, 只给出可能范围", "items are not assessed: a range, but no score"
)
_NO_ITEMS: Final = Text("没有适用的测评项", "no item is applicable")
_RISK: Final = Text("风险等级未确定, 不给出等级", "the worst risk is not known: no grade is given")


def score_2021(
    values: Sequence[ItemValue],
    *,
    worst_risk: RiskLevel | None = None,
    cover_date: date | None = None,
) -> Score2021:
    """Return M = V_t + V_m over the applicable items, S = 100/n a piece; rounded at the end.

    V_t = max(0, 100y − Σ f(1−x)S) over technical items, V_m likewise with 1 − y. A grade needs
    the ``worst_risk`` left. Raises ``CalculationRefused`` where a value or a weight is none.
    """
    for value in values:
        _check(value)
    unassessed = sum(value.value is None for value in values)
    low, high = (_sides(values, Fraction(end)) for end in (0, 1))
    whole = bool(values) and not unassessed
    total = sum(low, Fraction(0)) if whole else None
    technical, management = (to_places(side, 2) if whole else None for side in low)
    score = None if total is None else to_places(total, 2)
    bounds = tuple(to_places(sum(ends, Fraction(0)), 2) if values else None for ends in (low, high))
    doubts = [_FORMULA, _WEIGHTS, *date_doubts(cover_date)]
    doubts += [_NO_ITEMS] if not values else []
    doubts += [_OPEN] if unassessed else []
    doubts += [_RISK] if worst_risk is None else []
    named = {
        "V_t": technical,
        "V_m": management,
        "M": score,
        "lowest": bounds[0],
        "highest": bounds[1],
    }
    return Score2021(
        edition=TEMPLATE_2021,
        applies=applies_2021(cover_date),
        items=len(values),
        unassessed=unassessed,
        technical=technical,
        management=management,
        score=score,
        lowest=bounds[0],
        highest=bounds[1],
        grade=None if total is None or worst_risk is None else _grade(total, worst_risk),
        figures={"n": str(len(values)), **_texts(named)},
        parameters={
            "y": "0.5",
            "partial": "0.5",
            "weights": "1/2/3",
            "rounding": "half up, 2 places, at the end",
        },
        doubts=tuple(doubts),
    )


def _check(value: ItemValue) -> None:
    if value.weight not in WEIGHTS:
        raise CalculationRefused(f"{value.item_id} has weight {value.weight}, not 1, 2 or 3")
    if value.value is not None and not 0 <= value.value <= 1:
        raise CalculationRefused(f"{value.item_id} has a value outside 0 to 1")


def _sides(values: Sequence[ItemValue], unassessed: Fraction) -> tuple[Fraction, Fraction]:
    """Return V_t and V_m with 未核查 counted as ``unassessed``."""
    lost: dict[Side, Fraction] = {"technical": Fraction(0), "management": Fraction(0)}
    for value in values:
        reached = unassessed if value.value is None else value.value
        lost[value.side] += value.weight * (1 - reached) * _HUNDRED / len(values)
    whole = _HUNDRED * TECHNICAL_SHARE
    nothing = Fraction(0)
    return (
        max(nothing, whole - lost["technical"]),
        max(nothing, _HUNDRED - whole - lost["management"]),
    )


def _grade(total: Fraction, worst: RiskLevel) -> Text:
    for least, allowed, grade in _GRADES:
        if total >= least and worst in allowed:
            return grade
    return _POOR


def _texts(figures: dict[str, Decimal | None]) -> dict[str, str]:
    return {name: str(figure) for name, figure in figures.items() if figure is not None}
