"""Working days by tables of holidays and make-up days, in Beijing time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from playbooks.errors.notices import CalendarInvalid
from playbooks.models.calendars import Deadline, WorkCalendar, YearTable
from secops.kernel.clock import BEIJING, SECOND, beijing_day, from_datetime

MAX_DAYS: Final = 366
_SATURDAY: Final = 5
_LONGEST_HOLIDAY: Final = 31
_YEARS: Final = range(2000, 2100)


def read_calendar(value: Any) -> WorkCalendar:
    """Return the tables of a JSON document; raise ``CalendarInvalid`` with the place."""
    years = value.get("years") if isinstance(value, dict) else None
    if not isinstance(years, dict):
        msg = "years: an object is missing"
        raise CalendarInvalid(msg)
    return WorkCalendar({_year(name): _table(_year(name), each) for name, each in years.items()})


def merged(first: WorkCalendar, second: WorkCalendar) -> WorkCalendar:
    """Return both; where both know a year, ``second`` counts."""
    return WorkCalendar({**first.years, **second.years})


def _year(name: str) -> int:
    if not (name.isascii() and name.isdigit() and int(name[:9]) in _YEARS):
        msg = f"years/{name[:20]}: not a year"
        raise CalendarInvalid(msg)
    return int(name)


def _table(year: int, value: Any) -> YearTable:
    if not isinstance(value, Mapping) or set(value) != {"source", "off", "worked"}:
        msg = f"years/{year}: source, off and worked are needed, and nothing else"
        raise CalendarInvalid(msg)
    source, off, worked = value["source"], value["off"], value["worked"]
    if not (isinstance(source, str) and source and isinstance(off, list)):
        msg = f"years/{year}: a source and a list off are needed"
        raise CalendarInvalid(msg)
    if not isinstance(worked, list):
        msg = f"years/{year}/worked: a list is needed"
        raise CalendarInvalid(msg)
    holidays = frozenset(day for span in off for day in _span(year, span))
    made_up = frozenset(_day(year, each) for each in worked)
    for day in sorted(made_up):
        if day in holidays or day.weekday() < _SATURDAY:
            msg = f"years/{year}/worked: {day} is no Saturday or Sunday outside a holiday"
            raise CalendarInvalid(msg)
    return YearTable(holidays, made_up, source)


def _span(year: int, value: Any) -> Iterator[date]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - from and to
        msg = f"years/{year}/off: each is a pair of dates"
        raise CalendarInvalid(msg)
    first, last = (_day(year, each) for each in value)
    days = (last - first).days
    if not 0 <= days < _LONGEST_HOLIDAY:
        msg = f"years/{year}/off: {first} to {last} is no holiday"
        raise CalendarInvalid(msg)
    yield from (first + timedelta(each) for each in range(days + 1))


def _day(year: int, value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        msg = f"years/{year}: {str(value)[:20]!r} is no date"
        raise CalendarInvalid(msg) from error
    if day.year != year:
        msg = f"years/{year}: {day} is of another year"
        raise CalendarInvalid(msg)
    return day


def is_worked(calendar: WorkCalendar, day: date) -> bool:
    """Tell whether ``day`` is worked; by its table, else Monday to Friday."""
    table = calendar.years.get(day.year)
    if table is not None and day in table.worked:
        return True
    weekday = day.weekday() < _SATURDAY
    return weekday and (table is None or day not in table.off)


def end_of(day: date) -> int:
    """Return 23:59:59 of ``day`` in Beijing as UTC microseconds."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return from_datetime(midnight) - BEIJING - SECOND


def due_after(calendar: WorkCalendar, start: int, days: int) -> Deadline:
    """Return the end of the ``days``-th working day after that of ``start``, which counts not.

    Raises ``ValueError`` for less than 1 or more than ``MAX_DAYS``.
    """
    if not 1 <= days <= MAX_DAYS:
        msg = f"1 to {MAX_DAYS} working days"
        raise ValueError(msg)
    day, left, years = beijing_day(start), days, set[int]()
    while left:
        day += timedelta(days=1)
        years.add(day.year)
        left -= is_worked(calendar, day)
    return Deadline(end_of(day), tuple(sorted(years - set(calendar.years))))
