"""When a signature says it was made: TBS_Sign.timeInfo in all the forms that occur."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from kms.core.gbt38540.structures import V1
from kms.core.rfc3161 import read_token
from kms.core.x690 import DerError, Element, read_der, values
from secops.kernel.clock import from_datetime

_BEIJING: Final = timezone(timedelta(hours=8))
_TEXT_LIMIT: Final = 40


def read_signing_time(element: Element, version: int) -> int:
    """Return timeInfo as UTC microseconds; raise ``DerError`` if it is no time.

    v4 and v5 hold a GeneralizedTime. v1 holds a BIT (or OCTET) STRING with a time-stamp
    token, a UTCTime, or text: ISO 8601, or ``yyyy-MM-dd HH:mm:ss`` in Beijing time.
    """
    if version != V1:
        return values.generalized_time(element, "timeInfo")
    content = values.bits_or_octets(element, "timeInfo")
    readings = (read(content) for read in (_from_text, _from_time, _from_token))
    instant = next((reading for reading in readings if reading is not None), None)
    return element.refuse("timeInfo is no time") if instant is None else instant


def _from_text(content: bytes) -> int | None:
    if len(content) > _TEXT_LIMIT:
        return None
    try:
        moment = datetime.fromisoformat(content.decode("ascii").strip())
        local = moment if moment.tzinfo else moment.replace(tzinfo=_BEIJING)
        return from_datetime(local.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _from_time(content: bytes) -> int | None:
    try:
        return values.time(read_der(content), "timeInfo")
    except DerError:
        return None


def _from_token(content: bytes) -> int | None:
    try:
        return read_token(content).made_at
    except DerError:
        return None
