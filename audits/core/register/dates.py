"""Dates as people write them, and what is due when: filing, tests, suppliers' accesses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from audits.core.gbt22240.grading import FILING_VALID_MONTHS, RETEST_MONTHS
from audits.models.systems import SOON_DAYS, AccessState, SupplierAccess, System
from secops.kernel.catalogue import Text
from secops.kernel.clock import BEIJING, DAY, beijing_day, from_datetime

_DATE: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_LEAST_YEAR: Final = 1990
_MOST_YEAR: Final = 2200
Standing = Literal["unknown", "good", "soon", "late"]
STANDINGS: Final[dict[Standing, Text]] = {
    "unknown": Text("未登记", "Not registered"),
    "good": Text("有效", "In force"),
    "soon": Text("即将到期", "Ends soon"),
    "late": Text("已逾期", "Overdue"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """When something ends (UTC microseconds, 0 for never or unknown), and how that stands."""

    at: int
    standing: Standing


def read_date(text: str) -> int | None:
    """Return the begin in Beijing of the day that ``text`` names; None if it names none."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups())
    try:
        moment = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    if not _LEAST_YEAR <= year <= _MOST_YEAR:
        return None
    return from_datetime(moment) - BEIJING


def date_text(instant: int) -> str:
    """Return the day of ``instant`` in Beijing as 2026-03-01; nothing for 0."""
    return beijing_day(instant).isoformat() if instant else ""


def filing_due(system: System, now: int) -> Due:
    """Return when a filing ends: three years after it (公网安〔2025〕1846号, read as a digest)."""
    return _due(system.filed_at, FILING_VALID_MONTHS, now)


def retest_due(system: System, now: int) -> Due:
    """Return when the next test by an assessment organisation is due; level 1 needs none."""
    months = RETEST_MONTHS.get(system.level)
    return Due(0, "good") if months is None else _due(system.tested_at, months, now)


def standing(ends_at: int, now: int) -> Standing:
    """Return how something stands that ends at ``ends_at``, 0 for never."""
    if ends_at and ends_at <= now:
        return "late"
    return "soon" if ends_at and ends_at - now <= SOON_DAYS * DAY else "good"


def access_state(access: SupplierAccess, now: int) -> AccessState:
    """Return how a supplier's access stands at ``now``."""
    if access.ended_at:
        return "ended"
    if access.ends_at <= now:
        return "expired"
    return "coming" if access.starts_at > now else "current"


def _due(since: int, months: int, now: int) -> Due:
    if not since or since > now:  # a day ahead is announced, not done
        return Due(0, "unknown")
    ends_at = _months_later(since, months)
    return Due(ends_at, standing(ends_at, now))


def _months_later(instant: int, months: int) -> int:
    """Return the same day so many months later, the month's last where it has no such day."""
    begun = beijing_day(instant)
    year, month = divmod(begun.year * 12 + begun.month - 1 + months, 12)
    last = date(year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)  # noqa: PLR2004 - December
    day = min(begun.day, last.day)
    return from_datetime(datetime(year, month + 1, day, tzinfo=UTC)) - BEIJING
