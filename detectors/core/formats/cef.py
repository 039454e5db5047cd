"""ArcSight Common Event Format (CEF 0 and 1), bare or inside syslog."""

from __future__ import annotations

import re
from typing import Final

from detectors.core.events.text import canonical_address
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import epoch_time, iso_time
from secops.kernel.logs import Value

_SPLIT: Final = re.compile(r"(?<!\\)(?:\\\\)*\|")
_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Za-z0-9_.\[\]-]{1,64})=")
_HEADER: Final = 7
_HEADER_NAMES: Final = (
    "cef.vendor",
    "cef.product",
    "cef.version",
    "event.code",
    "cef.name",
    "cef.severity",
)
_ECS: Final = {
    "src": "source.ip",
    "spt": "source.port",
    "dst": "destination.ip",
    "dpt": "destination.port",
    "suser": "user.name",
    "duser": "user.target.name",
    "shost": "source.domain",
    "dhost": "destination.domain",
    "dvchost": "host.name",
    "act": "event.action",
    "outcome": "event.outcome",
    "request": "url.original",
    "requestMethod": "http.request.method",
    "msg": "message",
    "fname": "file.name",
    "filePath": "file.path",
    "app": "network.application",
    "proto": "network.transport",
}
_MILLISECONDS: Final = 1_000
_EPOCH_DIGITS: Final = 13


def parse_cef(raw: bytes, context: Context) -> Parsed:
    """Read a bare CEF line; its time is ``rt``, ``end`` or ``start``."""
    text = decode_line(raw, context.encoding)
    start = text.find("CEF:")
    if start < 0:
        reason = "not_cef"
        raise BadLine(reason)
    fields: dict[str, Value] = {}
    read_cef(text[start:], fields)
    for name in ("cef.rt", "cef.end", "cef.start"):
        stamp = fields.get(name)
        if isinstance(stamp, str):
            return Parsed(_time(stamp, context), fields)
    reason = "no_time"
    raise BadLine(reason, "rt, end, start")


def read_cef(message: str, fields: dict[str, Value]) -> None:
    """Add header and extension of a CEF message; a malformed one raises ``BadLine``."""
    parts = _split_header(message)
    if len(parts) != _HEADER + 1:
        reason = "not_cef"
        raise BadLine(reason, "the header has seven fields")
    fields["event.module"] = "cef"
    for name, value in zip(_HEADER_NAMES, parts[1:_HEADER], strict=True):
        fields[name] = value.replace("\\|", "|").replace("\\\\", "\\")
    extension = parts[_HEADER]
    keys = list(_KEY.finditer(extension))
    for index, found in enumerate(keys):
        end = keys[index + 1].start() if index + 1 < len(keys) else len(extension)
        _extension(found[1], extension[found.end() : end].strip(), fields)


def _split_header(message: str) -> list[str]:
    parts, begin = [], 0
    for found in _SPLIT.finditer(message):
        parts.append(message[begin : found.end() - 1])
        begin = found.end()
        if len(parts) == _HEADER:
            break
    return [*parts, message[begin:]]


def _extension(name: str, value: str, fields: dict[str, Value]) -> None:
    plain = re.sub(r"\\([=\\])", r"\1", value).replace("\\n", "\n").replace("\\r", "\r")
    fields[f"cef.{name}"] = plain
    ecs = _ECS.get(name)
    if ecs is None:
        return
    if ecs.endswith(".ip"):
        address = canonical_address(plain)
        if address is None:
            return
        plain = address
    fields[ecs] = plain


def _time(stamp: str, context: Context) -> int:
    if stamp.isascii() and stamp.isdigit() and len(stamp) <= _EPOCH_DIGITS:
        return epoch_time(f"{int(stamp) / _MILLISECONDS:.6f}")
    return iso_time(stamp, context.zone)
