"""Times as people write them in queries: a date, an ISO 8601 time, ``now-2h``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from detectors.errors import BadQueryTime
from secops.kernel.clock import SECOND, from_datetime

_RELATIVE: Final = re.compile(r"now(?:-(\d{1,6})([smhdw]))?")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_instant(text: str, zone: tzinfo, now: int, *, end: bool = False) -> int:
    """Return UTC microseconds of a date, a time, or ``now-2h``; raise ``BadQueryTime``.

    A date alone is its first instant, with ``end`` the first instant after it. Times without
    a zone are in ``zone``.
    """
    relative = _RELATIVE.fullmatch(text)
    if relative is not None:
        seconds = int(relative[1]) * _UNITS[relative[2]] if relative[1] else 0
        return now - seconds * SECOND
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        if end and is_day(text):
            moment += timedelta(days=1)
        return from_datetime(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        msg = f"{text[:40]!r} is no time"
        raise BadQueryTime(msg) from error


def is_day(text: str) -> bool:
    """Tell whether ``text``, which is a time, is a date alone."""
    return len(text) == len("2026-01-01")
