"""The level aid, with its reasons and with what is doubtful about it. A person decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from playbooks.core.gbt20986.classification import Classification
from playbooks.core.reporting import Threshold, propose_reporting_level
from secops.kernel.catalogue import Text

_UNCONFIRMED: Final = Text(
    "对象重要程度 × 业务损失的对照表未与 GB/T 20986-2023 正式文本逐字核对,请由人工确认。",
    "The table of object and loss was not compared with the standard's text: a person decides.",
)
_DRAFT: Final = Text(
    "该数值取自办法的征求意见稿,正式附件可能不同,请由人工确认。",
    "This figure is from the rule's draft; the final annex may differ: a person decides.",
)
_TWO_SCALES: Final = Text(
    "GB/T 20986 级别与报告级别是两套尺度,应分别确定。",
    "The level of GB/T 20986 and the reporting level are two scales; set both.",
)
_LEAST: Final = Text(
    "报告级别:所填数值未达到任何一级的下限,按一般事件提示",
    "Reporting: no figure reaches a threshold, so ordinary",
)


@dataclass(frozen=True, slots=True)
class LevelAnswers:
    """What a person answers: the object, its loss, the social harm ("" for none), figures."""

    target: str
    loss: str
    harm: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LevelAdvice:
    """Both proposed levels, what each was reached by, and what is doubtful."""

    level: str
    reporting_level: str
    reasons: tuple[Text, ...]
    doubts: tuple[Text, ...]


def advise_level(
    classification: Classification, rule: Mapping[str, Any], answers: LevelAnswers
) -> LevelAdvice:
    """Return what the standard and the reporting rule propose; raise ``Invalid``."""
    level = classification.propose_level(answers.target, answers.loss, answers.harm)
    proposal = propose_reporting_level(rule, answers.figures)
    reasons = [_loss_reason(classification, answers)]
    if answers.harm:
        reasons.append(_harm_reason(classification, answers.harm))
    reasons += [_figure_reason(classification, rule, reached) for reached in proposal.reached]
    if not proposal.reached:
        reasons.append(_LEAST)
    doubts = [_TWO_SCALES]
    if not classification.confirmed:
        doubts.insert(0, _UNCONFIRMED)
    if proposal.draft:
        doubts.append(_DRAFT)
    return LevelAdvice(level, proposal.level, tuple(reasons), tuple(doubts))


def _loss_reason(classification: Classification, answers: LevelAnswers) -> Text:
    target = classification.objects[answers.target].text
    grade = classification.grades[answers.loss].text
    level = classification.levels[classification.loss[answers.target][answers.loss]].text
    return Text(
        f"{target.zh}对象,业务损失{grade.zh}:{level.zh}",
        f"{target.en} object, {grade.en.lower()} loss: {level.en.lower()}",
    )


def _harm_reason(classification: Classification, harm: str) -> Text:
    named = classification.levels[harm].text
    level = classification.levels[classification.harm[harm]].text
    return Text(f"社会危害{named.zh}:{level.zh}", f"{named.en} social harm: {level.en.lower()}")


def _figure_reason(
    classification: Classification, rule: Mapping[str, Any], reached: Threshold
) -> Text:
    metric = rule["metrics"][reached.metric]
    level = classification.levels[reached.level].text
    least = f"{reached.at_least:f}"
    return Text(
        f"报告级别:{metric['zh']} ≥ {least},属{level.zh}",
        f"Reporting: {metric['en']} ≥ {least}: {level.en.lower()}",
    )
