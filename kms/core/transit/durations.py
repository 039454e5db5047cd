"""Spans of time as Vault's clients write them: seconds, or ``1h30m``."""

from __future__ import annotations

import re
from typing import Final

from secops.kernel.errors import Invalid

_PART: Final = re.compile(r"([0-9]{1,9})([smhd])")
_WHOLE: Final = re.compile(r"(?:[0-9]{1,9}[smhd]){1,4}")
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST: Final = 10 * 366 * 86_400


def read_duration(value: object, what: str) -> int:
    """Return ``value`` (a number of seconds, or a text like ``24h``) in seconds."""
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= LONGEST:
        msg = f"{what} is a number of seconds, or a text like 24h"
        raise Invalid(msg)
    return seconds


def _seconds(value: object) -> int | None:
    if type(value) is int:
        return value
    if not isinstance(value, str):
        return None
    if _DIGITS.fullmatch(value):
        return int(value)
    if not _WHOLE.fullmatch(value):
        return None
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(value))
