"""Proposing a level (定级): whom harm meets and how badly, read off the table of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from audits.errors import CalculationRefused
from audits.models.calculations import DEGREES, HARMED, Degree, Grading, Harmed
from secops.kernel.catalogue import Text

EDITION: Final = Text("GB/T 22240-2020", "GB/T 22240-2020")
TABLE: Final[Mapping[Harmed, Mapping[Degree, int]]] = {
    "citizens": {"ordinary": 1, "serious": 2, "grave": 2},
    "society": {"ordinary": 2, "serious": 3, "grave": 4},
    "state": {"ordinary": 3, "serious": 4, "grave": 5},
}
DISPUTED: Final[tuple[Harmed, Degree]] = ("citizens", "grave")
FILING_VALID_MONTHS: Final = 36
"""公网安〔2025〕1846号, read as a digest."""
RETEST_MONTHS: Final[Mapping[int, int]] = {2: 24, 3: 12, 4: 12, 5: 12}
_CATALOGUED: Final = 4
_AID: Final = Text(
    "仅为定级辅助: 须经专家评审、主管部门核准和公安机关审核",
    "an aid only: experts review the grading, the authority approves it, the police check it",
)
_CELL: Final = Text(
    "公民、法人权益受到特别严重损害: GB/T 22240-2020 为第二级(凭记忆), GA/T 1389-2017 为第三级;"
    " 此处取第二级, 请确认",
    "particularly serious harm to citizens or legal persons: level 2 in GB/T 22240-2020 (from"
    " memory), 3 in GA/T 1389-2017; 2 is taken here, please confirm",
)
_SECOND: Final = Text(
    "第二级约每两年测评一次: 非强制周期, 请按主管部门要求",
    "level 2 is tested about every two years: no hard term, ask your authority",
)
_FIFTH: Final = Text(
    "第五级不在本产品目录之内", "level 5 is outside the catalogues of this product"
)


def grade(information: Mapping[Harmed, Degree], service: Mapping[Harmed, Degree]) -> Grading:
    """Return the level that harm to information (S) and to the service (A) leads to.

    Each maps whom it harms to the degree; the worst counts. Raises ``CalculationRefused``
    where one names no harm or a word the table does not know.
    """
    s_level, a_level = (_level(harm) for harm in (information, service))
    level = max(s_level, a_level)
    doubts = [_AID]
    if DISPUTED in (*information.items(), *service.items()):
        doubts.append(_CELL)
    if level == 2:  # noqa: PLR2004 - a level
        doubts.append(_SECOND)
    if level > _CATALOGUED:
        doubts.append(_FIFTH)
    sag = f"S{s_level}A{a_level}G{level}"
    return Grading(
        edition=EDITION,
        s_level=s_level,
        a_level=a_level,
        level=level,
        sag=sag,
        retest_months=RETEST_MONTHS.get(level),
        figures={"S": str(s_level), "A": str(a_level), "G": str(level), "result": sag},
        parameters={"citizens/grave": str(TABLE["citizens"]["grave"])},
        doubts=tuple(doubts),
    )


def _level(harm: Mapping[Harmed, Degree]) -> int:
    if not harm or not all(who in HARMED and how in DEGREES for who, how in harm.items()):
        raise CalculationRefused("name whom the harm meets and its degree, at least once")
    return max(TABLE[who][how] for who, how in harm.items())
