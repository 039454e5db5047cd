"""Events as lines of CSV, harmless to spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from detectors.core.events.text import texts_of
from detectors.core.formats.record import decode_line
from secops.kernel.clock import to_rfc3339
from secops.kernel.logs import StoredEvent

COLUMNS: Final = (
    "@timestamp",
    "log.source",
    "event.action",
    "event.outcome",
    "user.name",
    "source.ip",
    "event.original",
    "event.id",
)
"""The columns where nobody names others. ``event.original`` is the raw line."""
BYTE_ORDER_MARK: Final = "\ufeff"
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Return ``rows`` as CSV (RFC 4180) in which no cell is a formula."""
    lines = io.StringIO()
    csv.writer(lines).writerows([harmless(text) for text in row] for row in rows)
    return lines.getvalue()


def cells_of(stored: StoredEvent, columns: Sequence[str]) -> list[str]:
    """Return what ``columns`` read of an event; a list is its elements on lines."""
    event = stored.event
    own = {
        "@timestamp": lambda: to_rfc3339(event.at),
        "log.source": lambda: event.source,
        "event.id": lambda: event.id,
        "event.original": lambda: decode_line(event.raw),
    }
    return [
        own[name]() if name in own else "\n".join(texts_of(event.fields.get(name, "")))
        for name in columns
    ]


def harmless(text: str) -> str:
    """Return ``text`` so that spreadsheets show and don't compute it; numbers stay numbers."""
    if text.startswith(_FORMULA) and _NUMBER.fullmatch(text) is None:
        return f"'{text}"
    return text
