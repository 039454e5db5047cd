"""Times as log lines write them: without year, without zone, with too many digits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from detectors.core.formats.record import BadLine, Context
from secops.kernel.clock import from_datetime

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_LEAP_CYCLE: Final = 8


def iso_time(text: str, zone: tzinfo) -> int:
    """Return UTC microseconds of an ISO 8601 ``text``; without a zone it is in ``zone``."""
    try:
        moment = datetime.fromisoformat(text.replace(",", ".", 1))
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        reason = "bad_time"
        raise BadLine(reason, text[:40]) from error


def bsd_time(text: str, context: Context) -> int:
    """Return UTC microseconds of an RFC 3164 time such as ``Nov  2 17:31:23``."""
    return _bsd_time(text, context.zone, context.latest, context.year)


@lru_cache(maxsize=4_096)
def _bsd_time(text: str, zone: tzinfo, latest: int, year: int | None) -> int:
    try:
        month = _MONTHS[text[:3]]
        day = int(text[4:6])
        hour, minute, second = int(text[7:9]), int(text[10:12]), int(text[13:15])
    except (KeyError, ValueError) as error:
        reason = "bad_time"
        raise BadLine(reason, text[:40]) from error
    newest = datetime.fromtimestamp(latest // 1_000_000, UTC).astimezone(zone).year
    candidates = range(newest, newest - _LEAP_CYCLE, -1) if year is None else (year,)
    for candidate in candidates:
        try:
            moment = datetime(candidate, month, day, hour, minute, second, tzinfo=zone)
        except ValueError:  # 29 February waits for a leap year
            continue
        instant = from_datetime(moment)
        if year is not None or instant <= latest:
            return instant
    reason = "bad_time"
    raise BadLine(reason, text[:40])


@lru_cache(maxsize=4_096)
def clf_time(text: str) -> int:
    """Return UTC microseconds of a common log format time, ``22/Nov/2026:17:31:23 +0800``."""
    try:  # strptime takes ten times as long
        year, month, day = int(text[7:11]), _MONTHS[text[3:6]], int(text[:2])
        hour, minute, second = int(text[12:14]), int(text[15:17]), int(text[18:20])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_offset(text[21:]))
        return from_datetime(moment)
    except (KeyError, ValueError, OverflowError) as error:
        reason = "bad_time"
        raise BadLine(reason, text[:40]) from error


@lru_cache(maxsize=64)
def _offset(text: str) -> tzinfo:
    """Return the zone ``+0800``."""
    distance = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-distance if text[0] == "-" else distance)


@lru_cache(maxsize=4_096)
def apache_error_time(text: str, zone: tzinfo) -> int:
    """Return UTC microseconds of ``Sun Dec 04 04:47:44 2005``, with or without microseconds."""
    pattern = "%a %b %d %H:%M:%S.%f %Y" if "." in text else "%a %b %d %H:%M:%S %Y"
    return _strptime(text, pattern, zone)


@lru_cache(maxsize=4_096)
def nginx_error_time(text: str, zone: tzinfo) -> int:
    """Return UTC microseconds of ``2026/11/22 17:31:23``."""
    return _strptime(text, "%Y/%m/%d %H:%M:%S", zone)


def epoch_time(text: str) -> int:
    """Return UTC microseconds of decimal seconds such as ``1364481363.243``."""
    seconds, _, fraction = text.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= len("99999999999")):
        reason = "bad_time"
        raise BadLine(reason, text[:40])
    digits = fraction[:6].ljust(6, "0")
    micros = int(digits) if digits.isascii() and digits.isdigit() else 0
    return int(seconds) * 1_000_000 + micros


def _strptime(text: str, pattern: str, zone: tzinfo) -> int:
    try:
        moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is put in below
        return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError) as error:
        reason = "bad_time"
        raise BadLine(reason, text[:40]) from error
