"""High-risk cases and 重大风险隐患 as states: a person answers, the rule draws the conclusion.

Source: the trial guideline 公网安〔2025〕2391号 and 公网安〔2025〕1846号 (Q17, Q19), both read as
digests. No machine answers for a person: what is not answered is 待人工.
"""

from __future__ import annotations

from typing import Final

from audits.errors import CalculationRefused
from audits.models.calculations import (
    CaseAnswers,
    CaseCode,
    CaseState,
    MajorCode,
    MajorState,
    MajorTicks,
)
from audits.models.catalogue import HighRiskCase, MajorTrigger
from secops.kernel.catalogue import Text

GUIDELINE: Final = Text(
    "高风险判定指引(试行, 公网安〔2025〕2391号, 仅读到摘要)",
    "high-risk guideline (trial, 公网安〔2025〕2391号, read as a digest only)",
)
APPENDIX: Final = Text(
    "2025 版报告模板附录 G 与 公网安〔2025〕1846号(仅读到摘要)",
    "appendix G of the 2025 template and 公网安〔2025〕1846号 (read as digests only)",
)
_DIGEST: Final = Text(
    "情形文字为转述, 判定前请核对指引原文",
    "the case is paraphrased: hold it against the guideline before judging",
)
_UNKNOWN_NEVER: Final = Text(
    "未回答是否属于不可缓解的情形, 不计为已缓解",
    "whether it is one that nothing lowers was not answered: not counted as mitigated",
)
_BELOW: Final = Text("该情形自更高级别起适用", "the case counts from a higher level on")
_NO_CONDITION: Final = Text("适用条件不成立", "the case's condition does not hold")
_NOT_MET: Final = Text("触发情形不成立", "the case's trigger is not met")
_UNANSWERED: Final = Text(
    "适用条件或触发情形未由具名人员判定", "no named person judged the condition or the trigger"
)
_NOTHING_LOWERS: Final = Text("触发情形成立, 无可缓解措施", "it is met and nothing lowers it")
_PROVEN: Final = Text(
    "缓解措施有证据并经具名人员确认", "the mitigation is proven by evidence and confirmed"
)
_UNPROVEN: Final = Text(
    "触发情形成立, 缓解措施未经证据和具名人员确认",
    "it is met and no mitigation is proven by evidence and confirmed",
)
_BY_PERSON: Final = Text(
    "未匹配任何情形, 由具名人员判为高风险(1846号 Q17)",
    "no case matches; a named person set high risk (1846, Q17)",
)


def judge_case(case: HighRiskCase, answers: CaseAnswers) -> CaseState:
    """Return the state of ``case`` under ``answers``.

    Nobody's answers (``confirmed_by`` empty) decide nothing. A mitigation counts only with
    evidence and where it is answered that what nothing lowers does not hold.
    """
    code, reason, doubts = _judge(case, answers)
    return CaseState(
        case_id=case.id,
        edition=case.guideline or GUIDELINE,
        code=code,
        reason=reason,
        confirmed_by=answers.confirmed_by,
        evidence=answers.evidence if code == "mitigated" else (),
        parameters={"min_level": str(case.min_level), "level": str(answers.level)},
        doubts=(_DIGEST, *doubts, *case.doubts),
    )


def _judge(case: HighRiskCase, answers: CaseAnswers) -> tuple[CaseCode, Text, tuple[Text, ...]]:
    if answers.level < case.min_level:
        return "none", _BELOW, ()
    condition = answers.condition if case.only_if else True
    if not answers.confirmed_by or (condition is None and answers.triggered is not False):
        return "pending", _UNANSWERED, ()
    if condition is False:
        return "none", _NO_CONDITION, ()
    if answers.triggered is None:
        return "pending", _UNANSWERED, ()
    if not answers.triggered:
        return "none", _NOT_MET, ()
    return _met(case, answers)


def _met(case: HighRiskCase, answers: CaseAnswers) -> tuple[CaseCode, Text, tuple[Text, ...]]:
    if case.may_lower is None or (case.never and answers.never):
        return "high", _NOTHING_LOWERS, ()
    if not (answers.mitigated and answers.evidence):
        return "high_lowerable", _UNPROVEN, ()
    if case.never and answers.never is None:
        return "high_lowerable", _UNPROVEN, (_UNKNOWN_NEVER,)
    return "mitigated", _PROVEN, ()


def set_high_risk(item_id: str, reason: str, confirmed_by: str) -> CaseState:
    """Return the high risk that a person sets on an item that no case matches (1846 Q17).

    Raises ``CalculationRefused`` without a reason or a name.
    """
    if not reason.strip() or not confirmed_by:
        raise CalculationRefused("a high risk without a case needs a reason and a name")
    return CaseState(
        case_id="",
        edition=GUIDELINE,
        code="high",
        reason=Text(f"{_BY_PERSON.zh}: {reason}", f"{_BY_PERSON.en}: {reason}"),
        confirmed_by=confirmed_by,
        parameters={"item": item_id},
    )


_TICKS: Final = Text(
    "相关性、严重性、高发性未由具名人员逐项勾选",
    "relevance, severity and frequency were not all ticked by a named person",
)
_ALL: Final = Text("相关性、严重性、高发性均成立", "relevance, severity and frequency all hold")
_NOT_ALL: Final = Text(
    "相关性、严重性、高发性不同时成立", "relevance, severity and frequency do not all hold"
)
_SEVERAL: Final = Text(
    "由多个较轻问题叠加构成, 由具名人员判定(1846号 Q19)",
    "several lesser problems add up to it; a named person judged so (1846, Q19)",
)
_LEAST_PROBLEMS: Final = 2


def judge_major(trigger: MajorTrigger | None, ticks: MajorTicks) -> MajorState:
    """Return whether ``ticks`` make a major risk of ``trigger``, or of several lesser problems.

    Without a trigger at least two items have to be named; raises ``CalculationRefused``
    otherwise, and where the ticks are on another trigger.
    """
    if ticks.trigger_id != (trigger.id if trigger else ""):
        raise CalculationRefused("the ticks are on another trigger")
    if trigger is None and len(set(ticks.items)) < _LEAST_PROBLEMS:
        raise CalculationRefused("a major risk of no trigger is made of two problems or more")
    code, reason = _ticked(ticks)
    return MajorState(
        trigger_id=ticks.trigger_id,
        edition=APPENDIX,
        code=code,
        reason=reason,
        confirmed_by=ticks.confirmed_by,
        parameters={"principles": "相关性, 严重性, 高发性"},
        doubts=(_DIGEST,) if trigger else (_DIGEST, _SEVERAL),
    )


def _ticked(ticks: MajorTicks) -> tuple[MajorCode, Text]:
    marks = (ticks.relevant, ticks.severe, ticks.frequent)
    if not ticks.confirmed_by:
        return "pending", _TICKS
    if False in marks:
        return "none", _NOT_ALL
    if None in marks:
        return "pending", _TICKS
    return ("rectified" if ticks.rectified else "found"), _ALL
