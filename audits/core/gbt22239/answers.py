"""What named persons answered, turned into states of high-risk cases and major risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from audits.core.gbt22239.high_risk import judge_case, judge_major, set_high_risk
from audits.models.assessments import (
    FAILING,
    AnswerKind,
    CaseFinding,
    MajorFinding,
    PersonAnswer,
    Verdict,
)
from audits.models.calculations import CaseAnswers, Majors, MajorTicks, RiskLevel
from audits.models.catalogue import Catalogue, HighRiskCase
from audits.models.evidence import WHOLE

TOGETHER: Final = "+"
"""What the subject of several lesser problems that add up begins and divides with."""

Answers = Mapping[tuple[AnswerKind, str, str], PersonAnswer]
"""The answers that count, by kind, subject and object."""


def current_answers(answers: Sequence[PersonAnswer], now: int) -> Answers:
    """Return the latest answer on each subject that has not expired."""
    return {
        (answer.kind, answer.subject, answer.object_id): answer
        for answer in sorted(answers, key=lambda a: a.at)
        if answer.expires_at > now
    }


def find_cases(
    verdicts: Sequence[Verdict], answers: Answers, level: int
) -> tuple[CaseFinding, ...]:
    """Return the states of the cases of failing items, then the high risks that persons set."""
    found = [
        CaseFinding(verdict.item.id, case, judge_case(case, _case_answers(case, answers, level)))
        for verdict in verdicts
        for case in verdict.high_risk
    ]
    for verdict in verdicts:
        answer = answers.get(("risk", verdict.item.id, WHOLE))
        if answer is not None and answer.values.get("high") is True:
            state = set_high_risk(verdict.item.id, answer.reason, answer.person)
            found.append(CaseFinding(verdict.item.id, None, state))
    return tuple(found)


def _case_answers(case: HighRiskCase, answers: Answers, level: int) -> CaseAnswers:
    answer = answers.get(("case", case.id, WHOLE))
    if answer is None:
        return CaseAnswers(level=level)
    values = answer.values
    return CaseAnswers(
        level=level,
        condition=_tick(values, "condition"),
        triggered=_tick(values, "triggered"),
        never=_tick(values, "never"),
        mitigated=values.get("mitigated") is True,
        evidence=answer.evidence,
        confirmed_by=answer.person,
    )


def _tick(values: Mapping[str, Any], name: str) -> bool | None:
    value = values.get(name)
    return value if isinstance(value, bool) else None


def find_majors(
    catalogue: Catalogue, verdicts: Sequence[Verdict], answers: Answers
) -> tuple[MajorFinding, ...]:
    """Return the triggers that failing items call for or persons ticked, then what adds up.

    A trigger nobody ticked is 待人工; a trigger that nothing calls for is left out.
    """
    failing = {v.item.id for v in verdicts if v.status in FAILING}
    found = []
    for trigger in catalogue.triggers:
        answer = answers.get(("major", trigger.id, WHOLE))
        if trigger.item not in failing and answer is None:
            continue
        items: tuple[str, ...] = (trigger.item,) if trigger.item else ()
        found.append(MajorFinding(items, judge_major(trigger, _ticks(trigger.id, items, answer))))
    for (kind, subject, _), answer in sorted(answers.items()):
        if kind == "major" and subject.startswith(TOGETHER):
            items = tuple(subject.strip(TOGETHER).split(TOGETHER))
            found.append(MajorFinding(items, judge_major(None, _ticks("", items, answer))))
    return tuple(found)


def _ticks(trigger_id: str, items: tuple[str, ...], answer: PersonAnswer | None) -> MajorTicks:
    if answer is None:
        return MajorTicks(trigger_id=trigger_id, items=items)
    values = answer.values
    return MajorTicks(
        trigger_id=trigger_id,
        items=items,
        relevant=_tick(values, "relevant"),
        severe=_tick(values, "severe"),
        frequent=_tick(values, "frequent"),
        rectified=values.get("rectified") is True,
        confirmed_by=answer.person,
    )


def count_majors(majors: Sequence[MajorFinding]) -> Majors:
    """Return how many major risks were found before rectification, and how many are mended."""
    codes = [major.state.code for major in majors]
    rectified = codes.count("rectified")
    return Majors(found=codes.count("found") + rectified, rectified=rectified)


def worst_risk(verdicts: Sequence[Verdict], cases: Sequence[CaseFinding]) -> RiskLevel | None:
    """Return the worst risk that is known: high, none without any failing item, else None.

    Between them stands an analysis of risks by persons, which is not guessed.
    """
    if any(case.state.is_high for case in cases):
        return "high"
    failing = any(verdict.status in FAILING for verdict in verdicts)
    return None if failing else "none"
