"""Time as a port. Instants are UTC microseconds since 1970; this is time's one home."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Final, Protocol

MILLISECOND: Final = 1_000
SECOND: Final = 1_000 * MILLISECOND
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
BEIJING: Final = 8 * HOUR
"""What clocks in China are ahead of UTC, all year."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return UTC microseconds since 1970."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return UTC microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return time.monotonic()


def day_start(instant: int) -> int:
    """Return when the day of ``instant`` began in Beijing, both UTC microseconds."""
    return (instant + BEIJING) // DAY * DAY - BEIJING


def beijing_day(instant: int) -> date:
    """Return the day that ``instant`` (UTC microseconds) is of in Beijing."""
    return datetime.fromtimestamp((instant + BEIJING) // SECOND, UTC).date()


def to_rfc3339(instant: int) -> str:
    """Write ``instant`` (UTC microseconds) as RFC 3339 with ``Z``."""
    seconds, micros = divmod(instant, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{micros:06d}Z" if micros else f"{text}Z"


def rfc3339_or_none(instant: int | None) -> str | None:
    """Return ``instant`` as ``to_rfc3339`` does, None where there is none."""
    return None if instant is None else to_rfc3339(instant)


def from_datetime(moment: datetime) -> int:
    """Return UTC microseconds of an aware ``moment``; raise ValueError for a naive one."""
    if moment.tzinfo is None:
        msg = "a time without a zone is ambiguous"
        raise ValueError(msg)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def from_rfc3339(text: str) -> int:
    """Return UTC microseconds of an RFC 3339 ``text``; raise ValueError otherwise."""
    return from_datetime(datetime.fromisoformat(text))
