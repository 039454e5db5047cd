"""密评's arithmetic by its golden values, and the traps others fall into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt39786.layers import LAYERS
from audits.core.gbt39786.objects import (
    algorithm_ratio,
    dak_score,
    key_ratio,
    mean_of,
    object_score,
)
from audits.core.gbt39786.score import (
    CONCLUSIONS,
    compensate,
    layer_score,
    score_crypto,
    total_score,
)
from audits.core.standards import READERS
from audits.errors import CalculationRefused
from audits.models.calculations import CryptoObject, CryptoScore, UnitEntry

UNITS = PackagedCatalogues(READERS).read("gbt39786").items
GOOD = CryptoObject("库", effective=True, approved=True, managed=True, module_level=3)
D = Decimal


def dak(d: int, a: int, k: int, ra: str = "1", rk: str = "1") -> str:
    score = dak_score(
        effective=bool(d), approved=bool(a), managed=bool(k), ra=Fraction(ra), rk=Fraction(rk)
    )
    return str(score)


def everything(level: int = 3, **changes: UnitEntry) -> list[UnitEntry]:
    """Return entries in which all is well, but for ``changes`` (``MP_6_1_1=…``)."""
    entries = {
        unit.id: UnitEntry(unit_id=unit.id, objects=(GOOD,))
        if LAYERS[unit.class_code].side == "technical"
        else UnitEntry(unit_id=unit.id, value=Fraction(1))
        for unit in UNITS
        if level in unit.levels
    }
    entries |= {entry.unit_id: entry for entry in changes.values()}
    return list(entries.values())


def layers(**scores: str) -> Mapping[str, Decimal]:
    return {code: D(scores.get(code, scores.get("rest", "0"))) for code in LAYERS}


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (dak(1, 0, 1, ra="0.5"), "0.2500"),
        (dak(1, 1, 0, rk="1.2"), "0.6000"),
        (dak(1, 0, 0, ra="1", rk="1.5"), "0.3750"),
        (dak(1, 0, 0, ra="0.5", rk="1.2"), "0.1500"),
        (str(compensate(D("1"), D("0.8"))), "0.8000"),
        (str(compensate(D("0.6"), D("0.1"))), "0.3000"),
        (str(mean_of([D(1), D(0), D(0)])), "0.3333"),
        (str(layer_score([(D(1), Fraction(1)), (D(0), Fraction("0.7"))])), "0.5882"),
        (
            str(
                layer_score(
                    [
                        (D(1), Fraction(1)),
                        (D("0.5"), Fraction("0.7")),
                        (D(0), Fraction("0.4")),
                    ]
                )
            ),
            "0.6429",
        ),
        (str(total_score(layers(rest="0.5"))), "50.00"),
        (str(total_score(layers(EMR="1"))), "6.00"),
        (str(total_score(layers(MGT="1"))), "8.00"),
        (
            str(
                total_score(
                    {
                        **{code: D("0.5") for code in ("PHY", "NET", "DEV", "APP")},
                        "EMR": D(1),
                    }
                )
            ),
            "65.00",
        ),
        (
            str(
                total_score(
                    {
                        code: D(".3333" if layer.side == "technical" else ".6667")
                        for code, layer in LAYERS.items()
                    }
                )
            ),
            "43.33",
        ),
    ],
)
def test_the_golden_values(found: str, score: str) -> None:
    assert Decimal(found) == Decimal(score)


def test_the_worked_example_of_a_network_layer_and_its_total() -> None:
    half = [D("0.5"), D("0.5"), mean_of([D(1), D("0.5")]), D(0)]
    network = layer_score(
        list(zip(half, [Fraction(w) for w in ("1", "0.7", "1", "0.4")], strict=True))
    )
    assert str(network) == "0.5161"
    total = total_score(
        {
            "PHY": D("0.6"),
            "NET": network,
            "DEV": D("0.5"),
            "APP": D("0.5"),
            "MGT": D(1),
            "STF": D(1),
            "CON": D("0.85"),
            "EMR": D(1),
        }
    )
    assert str(total) == "65.12"


def test_the_table_of_d_a_and_k() -> None:
    assert [dak(1, 1, 1), dak(1, 0, 1), dak(1, 1, 0), dak(1, 0, 0)] == [
        "1.0000",
        "0.5000",
        "0.5000",
        "0.2500",
    ]
    assert {dak(0, a, k) for a in (0, 1) for k in (0, 1)} == {"0.0000"}


def test_ratios_by_strength_and_module() -> None:
    assert [algorithm_ratio(bits) for bits in (256, 112, 111, 80, 79, 0)] == [
        1,
        1,
        Fraction(1, 2),
        Fraction(1, 2),
        Fraction(1, 5),
        Fraction(1, 5),
    ]
    assert [key_ratio(level, module) for level, module in ((1, 3), (2, 3), (3, 0), (4, 1))] == [
        1
    ] * 4
    assert (key_ratio(3, 1), key_ratio(4, 2)) == (Fraction(6, 5), Fraction(3, 2))


def test_an_unapproved_algorithm_is_not_an_ineffective_one() -> None:
    aes = replace(GOOD, approved=False, bits=256)
    assert str(object_score(aes, 3).score) == "0.5000"


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_software_keys_never_pass(level: int) -> None:
    scored = object_score(replace(GOOD, module_level=0), level)
    assert str(scored.score) == "0.5000"
    assert scored.reason is not None
    assert "未经商用密码认证的软件模块" in scored.reason.zh


def test_a_certified_module_of_too_low_a_level_fails_with_its_bonus() -> None:
    scored = object_score(replace(GOOD, module_level=1), 3)
    assert str(scored.score) == "0.6000"
    assert scored.reason is not None
    assert str(object_score(replace(GOOD, module_level=2), 4).score) == "0.7500"


def test_odd_numbers_are_refused() -> None:
    for odd in (replace(GOOD, bits=-1), replace(GOOD, module_level=-1)):
        with pytest.raises(CalculationRefused):
            object_score(odd, 3)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_all_well_is_a_hundred(level: int) -> None:
    scored = score_crypto(UNITS, level, everything(level), high_risk=False)
    assert str(scored.score) == "100.00"
    assert scored.conclusion == CONCLUSIONS["compliant"]
    assert len(scored.units) == {1: 24, 2: 27, 3: 41, 4: 41}[level]
    assert [layer.state for layer in scored.layers] == ["judged"] * 8


def test_software_keys_alone_are_never_compliant_at_level_three() -> None:
    software = replace(GOOD, module_level=0)
    entries = [
        replace(entry, objects=(software,)) if entry.objects else entry for entry in everything()
    ]
    scored = score_crypto(UNITS, 3, entries, high_risk=False)
    assert str(scored.score) == "65.00"
    assert scored.conclusion == CONCLUSIONS["basically"]


def test_a_unit_is_the_mean_of_its_objects_and_not_the_least() -> None:
    bad = replace(GOOD, effective=False)
    mixed = UnitEntry(unit_id="MP-6.1.1", objects=(GOOD, bad, bad))
    scored = score_crypto(UNITS, 3, everything(mixed=mixed), high_risk=False)
    (unit,) = (each for each in scored.units if each.unit_id == "MP-6.1.1")
    assert str(unit.score) == "0.3333"
    (layer,) = (each for each in scored.layers if each.layer == "PHY")
    assert str(layer.score) == "0.7222"  # (0.3333 + 0.7 + 0.7) / 2.4


def changed(entry: UnitEntry, **more: Any) -> CryptoScore:
    return score_crypto(UNITS, 3, everything(changed=entry), **more)


def test_what_is_not_assessed_bars_a_total() -> None:
    for entries in (
        everything(gone=UnitEntry(unit_id="MP-6.1.1", state="unassessed")),
        [entry for entry in everything() if entry.unit_id != "MP-6.1.1"],
    ):
        scored = score_crypto(UNITS, 3, entries, high_risk=False)
        assert (scored.score, scored.conclusion, scored.unassessed) == (None, None, 1)
        assert scored.layers[0].state == "unassessed"
        assert scored.figures["coverage"] == "40/41"
        assert "S" not in scored.figures
        assert "PHY" not in scored.figures


def test_a_layer_that_is_not_applicable_leaves_both_sums() -> None:
    gone = [
        replace(entry, state="not_applicable", objects=(), value=None)
        if entry.unit_id.startswith("MP-6.1")
        else entry
        for entry in everything()
    ]
    scored = score_crypto(UNITS, 3, gone, high_risk=False)
    assert str(scored.score) == "100.00"
    assert (scored.layers[0].state, scored.layers[0].score) == ("not_applicable", None)


@pytest.mark.parametrize("side", ["technical", "management"])
def test_a_whole_group_that_is_not_applicable_has_no_total(side: str) -> None:
    sides = {unit.id: LAYERS[unit.class_code].side for unit in UNITS}
    gone = [
        UnitEntry(unit_id=entry.unit_id, state="not_applicable")
        if sides[entry.unit_id] == side
        else entry
        for entry in everything()
    ]
    scored = score_crypto(UNITS, 3, gone, high_risk=False)
    assert (scored.score, scored.conclusion, scored.unassessed) == (None, None, 0)
    assert any("整组不适用" in doubt.zh for doubt in scored.doubts)
    assert total_score({"EMR": D(1)}) is None


def test_a_high_risk_bars_and_an_unknown_one_leaves_it_open() -> None:
    assert score_crypto(UNITS, 3, everything(), high_risk=True).conclusion == CONCLUSIONS["not"]
    unknown = score_crypto(UNITS, 3, everything())
    assert (str(unknown.score), unknown.conclusion) == ("100.00", None)
    assert any("高风险未确定" in doubt.zh for doubt in unknown.doubts)


def test_below_sixty_is_not_compliant() -> None:
    bad = replace(GOOD, effective=False)
    entries = [replace(e, objects=(bad,)) if e.objects else e for e in everything()]
    scored = score_crypto(UNITS, 3, entries, high_risk=False)
    assert (str(scored.score), scored.conclusion) == ("30.00", CONCLUSIONS["not"])


def test_a_compensation_counts_half_and_only_with_a_name() -> None:
    bad = replace(GOOD, effective=False)
    weak = UnitEntry(unit_id="MP-6.2.3", objects=(bad,), compensated_by="MP-6.4.4")
    unnamed = changed(weak, high_risk=False)
    named = changed(replace(weak, confirmed_by="李四"), high_risk=False)
    found = [
        next(each for each in scored.units if each.unit_id == "MP-6.2.3")
        for scored in (unnamed, named)
    ]
    assert [str(each.score) for each in found] == ["0.0000", "0.5000"]
    assert [str(each.own) for each in found] == ["0.0000", "0.0000"]
    assert any("弥补" in doubt.zh for doubt in unnamed.doubts)
    assert not any("弥补" in doubt.zh for doubt in named.doubts)


def test_a_compensation_by_what_has_no_score_changes_nothing() -> None:
    weak = UnitEntry(
        unit_id="MP-6.2.3",
        objects=(replace(GOOD, effective=False),),
        compensated_by="MP-6.4.4",
        confirmed_by="李四",
    )
    helper = UnitEntry(unit_id="MP-6.4.4", state="not_applicable")
    scored = score_crypto(UNITS, 3, everything(weak=weak, helper=helper), high_risk=False)
    (unit,) = (each for each in scored.units if each.unit_id == "MP-6.2.3")
    assert str(unit.score) == "0.0000"
    gone = replace(weak, state="not_applicable", objects=())
    (unit,) = (each for each in changed(gone).units if each.unit_id == "MP-6.2.3")
    assert unit.score is None


@pytest.mark.parametrize(
    "entry",
    [
        UnitEntry(unit_id="MP-6.1.1"),
        UnitEntry(unit_id="MP-6.1.1", objects=(GOOD,), value=Fraction(1)),
        UnitEntry(unit_id="MP-7.1.1", value=Fraction(1, 3)),
        UnitEntry(unit_id="MP-7.1.1"),
        UnitEntry(unit_id="MP-7.1.1", value=Fraction(1), objects=(GOOD,)),
        UnitEntry(unit_id="MP-6.1.1", objects=(GOOD,), compensated_by="MP-6.1.1"),
        UnitEntry(unit_id="MP-6.1.1", objects=(GOOD,), compensated_by="MP-9.9.9"),
        UnitEntry(unit_id="MP-9.9.9", objects=(GOOD,)),
    ],
)
def test_entries_that_can_not_be_are_refused(entry: UnitEntry) -> None:
    with pytest.raises(CalculationRefused):
        changed(entry)


def test_entries_twice_or_of_another_level_are_refused() -> None:
    with pytest.raises(CalculationRefused):
        score_crypto(UNITS, 3, [*everything(), everything()[0]])
    with pytest.raises(CalculationRefused):
        score_crypto(UNITS, 1, [UnitEntry(unit_id="MP-6.1.3", objects=(GOOD,))])
