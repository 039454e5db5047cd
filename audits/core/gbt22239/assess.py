"""From snapshots and entries of persons to verdicts, counts, scores and conclusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from audits.core.gbt22239.answers import (
    count_majors,
    find_cases,
    find_majors,
    worst_risk,
)
from audits.core.gbt22239.catalogue import side_of
from audits.core.gbt22239.checks import CHECKS
from audits.core.gbt22239.host_checks import HOST_CHECKS
from audits.core.gbt22239.judging import (
    Basis,
    Checks,
    Judged,
    Seen,
    exact_value,
    judge_item,
    with_risks,
)
from audits.core.gbt22239.rate_2025 import CONCLUSIONS, rate_2025
from audits.core.gbt22239.score_2021 import score_2021
from audits.core.gbt22239.selection import Selected, select
from audits.models.assessments import STATUSES, Calculation, MajorFinding, Rate, Status, Verdict
from audits.models.calculations import ItemValue, Rate2025, Score2021
from audits.models.catalogue import Catalogue
from audits.models.systems import System
from secops.kernel.catalogue import Text

ALL_CHECKS: Final = Checks(CHECKS, HOST_CHECKS)
_SCORE: Final = Text("综合得分(推算, 2021 版口径)", "score (estimate, 2021 edition)")
_RATE: Final = Text(
    "符合率与结论(推算, 2025 版口径)", "rate and conclusion (estimate, 2025 edition)"
)
_PENDING: Final = Text(
    "有重大风险隐患触发项待人工判定, 不给出符合结论",
    "triggers of major risks wait for a person: no conclusion of compliance is given",
)
_ESTIMATE: Final = Text(
    "符合率为推算:未找到官方公式,严格计与加权计并列;未核查计入分母。",
    "The rate is an estimate: no official formula was found; not-assessed items count below.",
)


def assess(basis: Basis, cover_date: date) -> Judged:
    """Return the verdicts of all selected items and what the calculators make of them."""
    catalogue, system = basis.catalogue, basis.seen.scope.system
    selected, doubts = selected_items(catalogue, system, basis.level)
    verdicts = judge(catalogue, selected, basis.seen)
    cases = find_cases(verdicts, basis.answers, basis.level)
    majors = find_majors(catalogue, verdicts, basis.answers)
    counts = count(verdicts)
    score = score_2021(
        item_values(verdicts), worst_risk=worst_risk(verdicts, cases), cover_date=cover_date
    )
    rated = rate_2025(counts, count_majors(majors), cover_date)
    by_rate = _rate_calculation(rated, majors)
    return Judged(
        verdicts=verdicts,
        cases=cases,
        majors=majors,
        calculations=(by_rate, _score_calculation(score)),
        score=None if score.score is None or not score.applies else str(score.score),
        conclusion=by_rate.conclusion if rated.applies else None,
        notes=(_ESTIMATE, *catalogue.doubts_of(system.extensions), *doubts),
    )


def selected_items(
    catalogue: Catalogue, system: System, level: int
) -> tuple[tuple[Selected, ...], tuple[Text, ...]]:
    """Return the items that apply with their levels, and what is doubtful about the choice.

    At the system's own level S, A and G count as it was graded; at another all are of it.
    """
    items = catalogue.of(system.extensions)
    graded = (system.s_level, system.a_level) if level == system.level else (level, level)
    selection = select(items, *graded)
    differ = selection.s_level != selection.a_level or system.extensions
    return selection.selected, selection.doubts if differ else ()


def judge(catalogue: Catalogue, selected: Sequence[Selected], seen: Seen) -> tuple[Verdict, ...]:
    """Return a verdict for every selected item; nothing missing is ever 符合.

    A person's entry counts until it expires. It can't raise what a machine saw failing:
    不符合 by a check stays 不符合 whatever a person entered.
    """
    verdicts = (judge_item(one.item, one.level, seen) for one in selected)
    return tuple(with_risks(verdict, catalogue.high_risk) for verdict in verdicts)


def item_values(verdicts: Sequence[Verdict]) -> tuple[ItemValue, ...]:
    """Return what the 2021 score counts: applicable items with their exact values."""
    return tuple(
        ItemValue(
            verdict.item.id,
            side_of(verdict.item),
            exact_value(verdict),
            int(verdict.item.weight_at(verdict.level)),
        )
        for verdict in verdicts
        if verdict.status != "not_applicable"
    )


def _score_calculation(score: Score2021) -> Calculation:
    return Calculation(
        edition=score.edition.zh,
        title=_SCORE,
        applies=score.applies,
        figures=score.figures,
        conclusion=score.grade if score.applies else None,
        parameters=score.parameters,
        doubts=score.doubts,
    )


def _rate_calculation(rated: Rate2025, majors: Sequence[MajorFinding]) -> Calculation:
    """Return the rate with its conclusion, which waits while triggers wait for a person."""
    pending = any(major.state.code == "pending" for major in majors)
    overclaims = pending and rated.conclusion == CONCLUSIONS["compliant"]
    return Calculation(
        edition=rated.edition.zh,
        title=_RATE,
        applies=rated.applies,
        figures=rated.figures,
        conclusion=None if overclaims else rated.conclusion,
        parameters=rated.parameters,
        doubts=(*rated.doubts, _PENDING) if pending else rated.doubts,
    )


def count(verdicts: Sequence[Verdict]) -> dict[Status, int]:
    """Return how many verdicts have each status."""
    return {status: sum(verdict.status == status for verdict in verdicts) for status in STATUSES}


def coverage(counts: Mapping[Status, int]) -> tuple[int, int]:
    """Return (judged, applicable)."""
    applicable = sum(counts.values()) - counts["not_applicable"]
    return applicable - counts["unassessed"], applicable


def rate(counts: Mapping[Status, int]) -> Rate:
    """Return both readings of 符合率; 未核查 stays in the denominator."""
    applicable = sum(counts.values()) - counts["not_applicable"]
    return Rate(
        strict=(counts["compliant"], applicable),
        weighted=(2 * counts["compliant"] + counts["partial"], 2 * applicable),
    )
