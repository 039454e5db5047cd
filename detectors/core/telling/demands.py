"""What a correlation demanded and measured, read from its alert's first reason."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from detectors.models.alerts import Alert
from secops.kernel.catalogue import Text

_MEASURE: Final = re.compile(r"(?P<kind>\w+)(?:\((?P<fields>.*)\))? (?P<bound>.*)", re.DOTALL)
_UNITS: Final = ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min"))
_AT_ONCE: Final = {"0 s": "1 s"}
"""Log lines mostly tell whole seconds."""
_PLAIN: Final = frozenset({"event_count", "absence"})


@dataclass(frozen=True, slots=True)
class Demand:
    """``bound`` (``≥ 5``) was asked of ``fields`` within ``window``; ``measured`` was seen."""

    kind: str
    fields: str
    bound: str
    window: Text
    measured: str
    within: Text


def demand_of(alert: Alert) -> Demand | None:
    """Return what a correlation's alert says was demanded; None where it says nothing legible."""
    if alert.kind != "correlation" or not alert.reasons:
        return None
    first = alert.reasons[0]
    if first.condition == "first_seen":
        fields, _, window = first.expected.rpartition(": ")
        span = duration(window)
        return Demand("first_seen", fields, "", span, first.seen, span) if fields else None
    what, divided, window = first.expected.rpartition(" / ")
    measured, counted, within = first.seen.rpartition(" / ")
    if not divided or not counted:
        return None
    if first.condition in _PLAIN:
        found = (first.condition, "", what)
    elif (read := _MEASURE.fullmatch(what)) is not None and read["kind"] == first.condition:
        found = (first.condition, read["fields"] or "", read["bound"])
    else:
        return None
    return Demand(*found, duration(window), measured, duration(_AT_ONCE.get(within, within)))


def duration(text: str) -> Text:
    """Return ``3600 s`` as people say it; what is no number of seconds stays as it is."""
    number, _, unit = text.partition(" ")
    if unit != "s" or not (number.isascii() and number.isdigit()):
        return Text(text, text)
    seconds = int(number)
    for size, zh, en in _UNITS:
        if seconds >= size and seconds % size == 0:
            return Text(f"{seconds // size} {zh}", f"{seconds // size} {en}")
    return Text(f"{seconds} 秒", f"{seconds} s")
