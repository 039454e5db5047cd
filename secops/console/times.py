"""Times as the fields of forms have them, in Beijing's."""

from __future__ import annotations

from datetime import UTC, datetime

from secops.kernel.clock import BEIJING, from_datetime, from_rfc3339, to_rfc3339
from secops.kernel.errors import Invalid


def local_instant(text: str) -> int | None:
    """Return a date field's midnight in Beijing as UTC microseconds; None for an empty one."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        msg = "a date is written as 2026-03-01"
        raise Invalid(msg) from error
    return from_datetime(day) - BEIJING


def local_minute(text: str) -> int:
    """Return what a ``datetime-local`` field says, in UTC microseconds; raise ``Invalid``."""
    try:
        return from_rfc3339(f"{text[:16]}:00+08:00")
    except ValueError as error:
        msg = "a time is a day and a minute"
        raise Invalid(msg) from error


def day_field(instant: int | None) -> str:
    """Return ``instant`` as ``local_instant`` reads it."""
    return "" if instant is None else to_rfc3339(instant + BEIJING)[:10]


def minute_field(instant: int) -> str:
    """Return ``instant`` as ``local_minute`` reads it."""
    return to_rfc3339(instant + BEIJING)[:16]
