"""High-risk cases and major risks: persons answer, and nothing unanswered decides."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from audits.adapters.controls import PackagedCatalogues
from audits.core.gbt22239.high_risk import judge_case, judge_major, set_high_risk
from audits.core.standards import READERS
from audits.errors import CalculationRefused
from audits.models.calculations import CASE_CODES, CaseAnswers, MajorTicks

GENERAL = PackagedCatalogues(READERS).read("gbt22239")
CASES = {case.id: case for case in GENERAL.high_risk}
TRIGGERS = {trigger.id: trigger for trigger in GENERAL.triggers}
MET = CaseAnswers(level=3, condition=True, triggered=True, confirmed_by="李四")
PROVEN = replace(MET, never=False, mitigated=True, evidence=("ab" * 32,))


@pytest.mark.parametrize(
    ("case", "answers", "code"),
    [
        ("6.1.1.1", replace(MET, level=2), "none"),
        ("6.1.3.1", replace(MET, condition=False), "none"),
        ("6.1.3.1", replace(MET, condition=None), "pending"),
        ("6.1.3.1", replace(MET, condition=None, triggered=False), "none"),
        ("6.1.3.1", replace(MET, triggered=None), "pending"),
        ("6.1.3.1", replace(MET, triggered=False), "none"),
        ("6.1.3.1", MET, "high_lowerable"),
        ("6.1.1.1", replace(MET, condition=None), "high_lowerable"),
        ("6.2.1.1", MET, "high"),
        ("6.2.1.1", PROVEN, "high"),
        ("6.1.1.1", PROVEN, "mitigated"),
        ("6.1.1.1", replace(PROVEN, evidence=()), "high_lowerable"),
        ("6.1.1.1", replace(PROVEN, mitigated=False), "high_lowerable"),
        ("6.1.1.1", replace(PROVEN, confirmed_by=""), "pending"),
        ("6.4.3.2", PROVEN, "mitigated"),
        ("6.4.3.2", replace(PROVEN, never=True), "high"),
        ("6.4.3.2", replace(PROVEN, never=None), "high_lowerable"),
        ("6.4.4.1", replace(PROVEN, never=True), "high"),
        ("7.1.1.1", MET, "high"),
    ],
)
def test_the_states_of_a_case(case: str, answers: CaseAnswers, code: str) -> None:
    state = judge_case(CASES[case], answers)
    assert state.code == code
    assert state.state == CASE_CODES[state.code]
    assert state.is_high is (code in ("high", "high_lowerable"))
    assert state.evidence == (answers.evidence if code == "mitigated" else ())
    assert state.doubts


@pytest.mark.parametrize("case", CASES)
def test_nobodys_answers_decide_nothing_in_any_case(case: str) -> None:
    nobody = CaseAnswers(level=4, condition=True, triggered=True, mitigated=True, evidence=("x",))
    for never in (None, True, False):
        assert judge_case(CASES[case], replace(nobody, never=never)).code == "pending"


@pytest.mark.parametrize("case", CASES)
def test_a_met_case_is_mitigated_only_by_evidence_of_what_may_lower_it(case: str) -> None:
    for never, mitigated, evidence in product((None, True, False), (True, False), ((), ("x",))):
        answers = replace(MET, level=4, never=never, mitigated=mitigated, evidence=evidence)
        state = judge_case(CASES[case], answers)
        lowerable = CASES[case].may_lower is not None
        barred = CASES[case].never is not None and never is not False
        assert (state.code == "mitigated") is (
            lowerable and mitigated and bool(evidence) and not barred
        )


def test_a_case_of_an_extension_says_what_was_not_read() -> None:
    state = judge_case(CASES["7.1.1.1"], MET)
    assert any("起始级别" in doubt.zh for doubt in state.doubts)


def test_a_case_is_of_its_own_standards_guideline() -> None:
    crypto = PackagedCatalogues(READERS).read("gbt39786").high_risk[0]
    assert "2391" in judge_case(CASES["6.1.1.1"], MET).edition.zh
    assert "密码应用" in judge_case(crypto, MET).edition.zh


def test_a_person_may_set_a_high_risk_without_a_case() -> None:
    state = set_high_risk("L3-CES1-20", "上传接口可写脚本", "李四")
    assert (state.code, state.is_high, state.confirmed_by) == ("high", True, "李四")
    assert "上传接口可写脚本" in state.reason.zh
    assert state.parameters == {"item": "L3-CES1-20"}
    for reason, name in ((" ", "李四"), ("缘由", "")):
        with pytest.raises(CalculationRefused):
            set_high_risk("L3-CES1-20", reason, name)


ALL = MajorTicks(trigger_id="A-18", relevant=True, severe=True, frequent=True, confirmed_by="李四")


@pytest.mark.parametrize(
    ("ticks", "code"),
    [
        (ALL, "found"),
        (replace(ALL, rectified=True), "rectified"),
        (replace(ALL, relevant=False), "none"),
        (replace(ALL, severe=False, frequent=None), "none"),
        (replace(ALL, frequent=None), "pending"),
        (replace(ALL, confirmed_by=""), "pending"),
        (MajorTicks(trigger_id="A-18"), "pending"),
    ],
)
def test_a_major_risk_needs_all_three_ticks_of_a_person(ticks: MajorTicks, code: str) -> None:
    state = judge_major(TRIGGERS["A-18"], ticks)
    assert state.code == code
    assert (state.trigger_id, state.confirmed_by) == ("A-18", ticks.confirmed_by)
    assert state.state.zh


def test_several_lesser_problems_add_up_to_one() -> None:
    several = replace(ALL, trigger_id="", items=("L3-CES1-01", "L3-CES1-18"))
    state = judge_major(None, several)
    assert state.code == "found"
    assert any("叠加" in doubt.zh for doubt in state.doubts)


def test_ticks_on_another_trigger_or_on_one_problem_alone_are_refused() -> None:
    with pytest.raises(CalculationRefused, match="another trigger"):
        judge_major(TRIGGERS["A-19"], ALL)
    with pytest.raises(CalculationRefused, match="two problems"):
        judge_major(None, replace(ALL, trigger_id="", items=("L3-CES1-01", "L3-CES1-01")))
