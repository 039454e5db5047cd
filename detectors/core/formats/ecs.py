"""JSON Lines: ECS documents, Windows ``Event`` objects, and other flat or nested JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from detectors.core.events.text import add_value, canonical_list, canonical_scalar
from detectors.core.formats import windows
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import epoch_time, iso_time
from secops.kernel.logs import Value

MAX_FIELDS: Final = 1_000
_MAX_DEPTH: Final = 16
_TIMES: Final = ("@timestamp", "timestamp", "time", "TimeCreated", "UtcTime", "EventTime", "ts")
_DIGITS_OF_SECONDS: Final = 10


def parse_jsonl(raw: bytes, context: Context) -> Parsed:
    """Read one line of JSON: a Windows ``Event`` object, ECS, or another object with a time."""
    document = _document(raw, context)
    event = document.get("Event")
    if isinstance(event, Mapping):
        return parse_windows(event, context)
    for name in _TIMES:
        if name in document:
            at = _time(document[name], context)
            return Parsed(at, flatten(document))
    reason = "no_time"
    raise BadLine(reason)


def parse_ecs(raw: bytes, context: Context) -> Parsed:
    """Read one ECS document; ``@timestamp`` must be there (ECS 8, base fields)."""
    document = _document(raw, context)
    if "@timestamp" not in document:
        reason = "no_time"
        raise BadLine(reason, "@timestamp")
    return Parsed(_time(document["@timestamp"], context), flatten(document))


def parse_windows(event: Mapping[str, Any], context: Context) -> Parsed:
    """Read what stands under ``Event`` of an EVTX record."""
    text = windows.system_time(event)
    if text is None:
        reason = "no_time"
        raise BadLine(reason, "System.TimeCreated")
    try:
        fields = windows.with_ecs(windows.flatten_event(event))
    except windows.TooDeep as error:
        reason = "too_deep"
        raise BadLine(reason) from error
    return Parsed(iso_time(text, context.zone), fields)


def flatten(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return nested objects as dotted names; ``@timestamp`` is the event's own time.

    Lists of scalars stay lists, lists of objects join their fields' values. Raises
    ``BadLine`` for more than 1,000 fields or 16 levels.
    """
    fields: dict[str, Value] = {}
    for name, value in document.items():
        if name != "@timestamp":
            _add(fields, name, value, 0)
    return fields


def _add(fields: dict[str, Value], name: str, value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        reason = "too_deep"
        raise BadLine(reason)
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _add(fields, f"{name}.{key}", inner, depth + 1)
        return
    if isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for item in value:
            _add(fields, name, item, depth + 1)
        return
    canonical = canonical_list(value) if isinstance(value, list) else canonical_scalar(value)
    if canonical is not None and name:
        add_value(fields, name, canonical)
        if len(fields) > MAX_FIELDS:
            reason = "too_many_fields"
            raise BadLine(reason)


def _document(raw: bytes, context: Context) -> Mapping[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        document = _transcoded(raw, context)
    if not isinstance(document, dict):
        reason = "not_json"
        raise BadLine(reason, "not an object")
    return document


def _transcoded(raw: bytes, context: Context) -> Any:
    try:
        return orjson.loads(decode_line(raw, context.encoding))
    except (orjson.JSONDecodeError, UnicodeEncodeError) as error:
        reason = "not_json"
        raise BadLine(reason, str(error).partition(":")[0]) from error


def _time(value: Any, context: Context) -> int:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        reason = "bad_time"
        raise BadLine(reason)
    if isinstance(value, str):
        return iso_time(value, context.zone)
    digits = len(str(int(abs(value))))
    scale = 1 if digits <= _DIGITS_OF_SECONDS else 1_000
    return epoch_time(f"{value / scale:.6f}")
