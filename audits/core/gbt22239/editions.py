"""Which edition of the report template counts for a report, by its cover date."""

from __future__ import annotations

from datetime import date
from typing import Final

from secops.kernel.catalogue import Text

TEMPLATE_2021: Final = Text("2021 版报告模板", "report template, 2021 edition")
TEMPLATE_2025: Final = Text("2025 版报告模板", "report template, 2025 edition")
CHANGE: Final = date(2025, 3, 20)
"""After this cover date the 2025 template must be used (公网安〔2025〕1846号, read as a digest)."""

_BEFORE: Final = Text(
    "封面日期在 2025-03-20 之前: 可用 2021 版, 也可用 2025 版",
    "cover date before 2025-03-20: the 2021 template may be used, the 2025 one too",
)
_THE_DAY: Final = Text(
    "封面日期正是 2025-03-20: 来源未说明当日用哪一版, 两版都列出",
    "the cover date is 2025-03-20 itself: no source says which edition counts; both stand here",
)
_CONTRACT: Final = Text(
    "另有来源按 2025-03-20 起签订的合同划分, 与按封面日期不同",
    "another source divides by contracts signed from 2025-03-20 on, not by the cover date",
)
_UNDATED: Final = Text(
    "没有封面日期, 不能判断用哪一版模板", "without a cover date no edition can be chosen"
)


def applies_2021(cover_date: date | None) -> bool | None:
    """Return whether the 2021 template may be used, None without a date."""
    return None if cover_date is None else cover_date <= CHANGE


def applies_2025(cover_date: date | None) -> bool | None:
    """Return whether the 2025 template may be used, None without a date.

    It may be used before its day as well; after it there is no other.
    """
    return None if cover_date is None else True


def date_doubts(cover_date: date | None) -> tuple[Text, ...]:
    """Return what is uncertain about the choice of the edition on ``cover_date``."""
    if cover_date is None:
        return (_UNDATED,)
    if cover_date == CHANGE:
        return (_THE_DAY, _CONTRACT)
    if cover_date < CHANGE:
        return (_BEFORE, _CONTRACT)
    return ()
