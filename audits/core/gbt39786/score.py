"""密评: from D, A and K of objects to units, layers and S.

After 商用密码应用安全性评估量化评估规则 (2023), read in two public programs that agree, not in
the rule itself. All numbers are exact fractions rounded half up where the rule names places:
objects, units, layers 4, S 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from audits.core.gbt39786.layers import LAYERS, Layer
from audits.core.gbt39786.objects import NEEDED_MODULE, mean_of, object_score
from audits.errors import CalculationRefused
from audits.models.calculations import (
    CryptoScore,
    LayerScore,
    ObjectScore,
    Side,
    UnitEntry,
    UnitScore,
    UnitState,
)
from audits.models.catalogue import Item
from secops.kernel.catalogue import Text
from secops.kernel.rounding import to_places

EDITION: Final = Text(
    "商用密码应用安全性评估量化评估规则(2023 版)",
    "quantitative rules for assessments of commercial cryptography, 2023 edition",
)
_SHARES: Final[Mapping[Side, int]] = {"technical": 70, "management": 30}
_VALUES: Final = (Fraction(0), Fraction(1, 2), Fraction(1))
_WHOLE: Final = Fraction(100)
_PASSING: Final = Fraction(60)
CONCLUSIONS: Final = {
    "compliant": Text("推算结论: 符合", "estimated conclusion: compliant"),
    "basically": Text("推算结论: 基本符合", "estimated conclusion: basically compliant"),
    "not": Text("推算结论: 不符合", "estimated conclusion: not compliant"),
}
_FORMULA: Final = Text(
    "推算: 计算规则读自两个一致的公开程序, 未与规则原文核对",
    "estimate: the arithmetic was read in two public programs that agree, not in the rule itself",
)
_THRESHOLD: Final = Text(
    "结论界线(60 分)凭记忆录入, 待与报告模板核对",
    "the line of the conclusion (60) was written from memory; the template has to confirm it",
)
_MODULES: Final = Text(
    "密钥管理按级别要求的密码模块等级(二级 1, 三级 2, 四级 3)凭记忆录入",
    "the levels of modules that keys need (1 at level 2, 2 at level 3, 3 at level 4) were"
    " written from memory",
)
_OPEN: Final = Text("有未核查单元, 不给出总分", "units are not assessed: there is no total")
_GROUP: Final = Text(
    "技术或管理整组不适用: 规则未规定总分, 须人工确认",
    "a whole group is not applicable: the rule gives no total then, a person has to ask",
)
_RISK: Final = Text(
    "是否存在高风险未确定, 不给出结论", "whether there is a high risk is not known: no conclusion"
)
_UNCONFIRMED: Final = Text(
    "有弥补关系未经具名人员确认, 未计入", "a compensation without a person's name was not counted"
)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A unit's score as a fraction with its weight; None where it has none."""

    score: UnitScore
    layer: str
    weight: Fraction


def score_crypto(
    units: Sequence[Item],
    level: int,
    entries: Sequence[UnitEntry],
    *,
    high_risk: bool | None = None,
) -> CryptoScore:
    """Return S with its layers and units at ``level``; a conclusion needs ``high_risk``.

    ``units`` are the catalogue's; those without a weight at ``level`` are not assessed, those
    without an entry are 未核查. Raises ``CalculationRefused`` where an entry can't be.
    """
    wanted = [unit for unit in units if level in unit.weights]
    by_unit = _by_unit(wanted, entries)
    own = {unit.id: _own(unit, by_unit.get(unit.id), level) for unit in wanted}
    weighed = [
        _Weighed(_compensated(own, by_unit.get(unit.id), unit.id), unit.class_code, weight)
        for unit in wanted
        for weight in (unit.weights[level],)
    ]
    layers = tuple(_layer(layer, weighed) for layer in LAYERS.values())
    unassessed = sum(each.score.state == "unassessed" for each in weighed)
    groups = {side: _group(layers, side) for side in _SHARES}
    total = None if unassessed else _total(groups)
    score = None if total is None else to_places(total, 2)
    doubts = [_FORMULA, _THRESHOLD, _MODULES]
    doubts += [_OPEN] if unassessed else []
    doubts += [_GROUP] if not unassessed and total is None else []
    doubts += [_RISK] if total is not None and high_risk is None else []
    doubts += [_UNCONFIRMED] if _unconfirmed(entries) else []
    return CryptoScore(
        edition=EDITION,
        level=level,
        units=tuple(each.score for each in weighed),
        layers=layers,
        unassessed=unassessed,
        score=score,
        conclusion=_conclude(total, high_risk=high_risk),
        figures={
            **{layer.layer: str(layer.score) for layer in layers if layer.score is not None},
            **({"S": str(score)} if score is not None else {}),
            "coverage": f"{len(wanted) - unassessed}/{len(wanted)}",
        },
        parameters={
            "weights": "/".join(f"{layer.code} {layer.weight}" for layer in LAYERS.values()),
            "Ra": "1 (>=112 bit), 0.5 (>=80 bit), 0.2",
            "Rk": "1; 1.2 (L3, module 1); 1.5 (L4, module 2)",
            "module_level": str(NEEDED_MODULE[level]),
            "rounding": "half up: objects, units, layers 4 places, S 2",
        },
        doubts=tuple(doubts),
    )


def compensate(helper: Decimal, own: Decimal) -> Decimal:
    """Return max(0.5 · the score of the unit that makes up, own), 4 places."""
    return max(to_places(Fraction(helper) / 2, 4), own)


def layer_score(scores: Sequence[tuple[Decimal, Fraction]]) -> Decimal:
    """Return Σ w · unit / Σ w of (score, weight) of applicable units, 4 places."""
    weight = sum((weight for _, weight in scores), Fraction(0))
    reached = sum((Fraction(score) * weight for score, weight in scores), Fraction(0))
    return to_places(reached / weight, 4)


def total_score(layers: Mapping[str, Decimal]) -> Decimal | None:
    """Return S of applicable layers' scores by code, 2 places; None if a group is missing."""
    scored = tuple(
        LayerScore(code, LAYERS[code].side, LAYERS[code].weight, "judged", score)
        for code, score in layers.items()
    )
    total = _total({side: _group(scored, side) for side in _SHARES})
    return None if total is None else to_places(total, 2)


def _by_unit(units: Sequence[Item], entries: Sequence[UnitEntry]) -> dict[str, UnitEntry]:
    by_unit = {entry.unit_id: entry for entry in entries}
    known = {unit.id for unit in units}
    if len(by_unit) != len(entries) or not set(by_unit) <= known:
        raise CalculationRefused("an entry is of no unit at this level, or of one twice")
    for entry in entries:
        if entry.compensated_by and (
            entry.compensated_by not in known or entry.compensated_by == entry.unit_id
        ):
            raise CalculationRefused(f"nothing at this level makes up for {entry.unit_id} so")
    return by_unit


def _own(unit: Item, entry: UnitEntry | None, level: int) -> UnitScore:
    if entry is None or entry.state != "judged":
        return UnitScore(unit.id, entry.state if entry else "unassessed", None, None)
    if LAYERS[unit.class_code].side == "management":
        if entry.value not in _VALUES or entry.objects:
            raise CalculationRefused(f"{unit.id} is judged as 1, 0.5 or 0, without objects")
        score = to_places(entry.value, 4)
        return UnitScore(unit.id, "judged", score, score)
    if not entry.objects or entry.value is not None:
        raise CalculationRefused(f"{unit.id} is judged by its objects")
    objects: tuple[ObjectScore, ...] = tuple(object_score(each, level) for each in entry.objects)
    score = mean_of([each.score for each in objects])
    return UnitScore(unit.id, "judged", score, score, objects)


def _compensated(own: Mapping[str, UnitScore], entry: UnitEntry | None, unit_id: str) -> UnitScore:
    """Return the unit's score with what makes up for it, by that unit's own score."""
    unit = own[unit_id]
    if entry is None or not entry.compensated_by or not entry.confirmed_by:
        return unit
    helper = own[entry.compensated_by].own
    if unit.own is None or helper is None:
        return unit
    score = compensate(helper, unit.own)
    return UnitScore(unit_id, unit.state, unit.own, score, unit.objects)


def _unconfirmed(entries: Sequence[UnitEntry]) -> bool:
    return any(entry.compensated_by and not entry.confirmed_by for entry in entries)


def _layer(layer: Layer, weighed: Sequence[_Weighed]) -> LayerScore:
    units = [each for each in weighed if each.layer == layer.code]
    states = {each.score.state for each in units}
    state: UnitState = "not_applicable"
    if "unassessed" in states:
        state = "unassessed"
    elif "judged" in states:
        state = "judged"
    score = None
    if state == "judged":
        score = layer_score(
            [(each.score.score, each.weight) for each in units if each.score.score is not None]
        )
    return LayerScore(layer.code, layer.side, layer.weight, state, score)


def _group(layers: Sequence[LayerScore], side: Side) -> Fraction | None:
    """Return the weighted mean of the side's applicable layers, None without any."""
    scored = [
        (each.score, each.weight) for each in layers if each.side == side and each.score is not None
    ]
    weight = sum(weight for _, weight in scored)
    if not weight:
        return None
    return sum((Fraction(score) * share for score, share in scored), Fraction(0)) / weight


def _total(groups: Mapping[Side, Fraction | None]) -> Fraction | None:
    total = Fraction(0)
    for side, share in _SHARES.items():
        group = groups[side]
        if group is None:
            return None
        total += share * group
    return total


def _conclude(total: Fraction | None, *, high_risk: bool | None) -> Text | None:
    if total is None or high_risk is None:
        return None
    if total < _PASSING or high_risk:
        return CONCLUSIONS["not"]
    return CONCLUSIONS["compliant" if total == _WHOLE else "basically"]
