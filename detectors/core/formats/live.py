"""Lines that arrive one by one: nothing that was received is thrown away for its form.

A syslog header is read where there is one; the message is read by the source's format. What
can't be read is kept as text with the time of its arrival and the reason.
"""

from __future__ import annotations

from typing import Final

from detectors.core.formats.detect import LINE_PARSERS
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.syslog import parse_syslog
from secops.kernel.clock import DAY, to_rfc3339
from secops.kernel.logs import Value

_SYSLOG: Final = frozenset({"auto", "syslog", "sshd"})
_LEFT: Final = ("event.module", "event.category", "event.action", "event.outcome")


def read_live(raw: bytes, format_name: str, context: Context) -> Parsed:
    """Return what a received line says; its ``context`` has the time of its arrival.

    A time more than a day after the arrival is a device's wrong clock: the arrival counts, and
    what it wrote stands in ``log.rejected_time``.
    """
    arrival = context.arrival or 0
    try:
        parsed = _read(raw, format_name, context)
    except BadLine as bad:
        fields: dict[str, Value] = {
            "message": decode_line(raw, context.encoding),
            "event.module": "syslog",
            "log.parse_error": bad.reason,
        }
        return Parsed(arrival, fields)
    return settled_time(parsed, arrival)


def settled_time(parsed: Parsed, arrival: int) -> Parsed:
    """Return ``parsed``, with the time of its arrival where its own is a day ahead of that."""
    if parsed.at <= arrival + DAY:
        return parsed
    return Parsed(arrival, {**parsed.fields, "log.rejected_time": to_rfc3339(parsed.at)})


def inner_of(outer: Parsed, inner: Parsed) -> Parsed:
    """Return what a message says with what its syslog header says beside."""
    kept = {name: value for name, value in outer.fields.items() if name not in _LEFT}
    return Parsed(inner.at, {**kept, **inner.fields})


def header_host(raw: bytes, context: Context) -> str:
    """Return the host that a line's header names, "" without one."""
    try:
        return str(parse_syslog(raw, context).fields.get("host.name", ""))
    except BadLine:
        return ""


def _read(raw: bytes, format_name: str, context: Context) -> Parsed:
    outer = parse_syslog(raw, context)
    if format_name in _SYSLOG or format_name not in LINE_PARSERS:
        return outer
    message = str(outer.fields.get("message", ""))
    try:
        inner = LINE_PARSERS[format_name](message.encode(), context)
    except BadLine as bad:
        return Parsed(outer.at, {**outer.fields, "log.parse_error": bad.reason})
    return inner_of(outer, inner)
