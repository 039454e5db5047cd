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
    top = {name: value for name, value in document.items() if name != "@timestamp"}
    _add_members(fields, "", top, 0)
    return fields


def _add_members(
    fields: dict[str, Value], prefix: str, members: Mapping[str, Any], depth: int
) -> None:
    """Add what an object holds; the commonest kinds come first (this is ingest's hot loop)."""
    if depth > _MAX_DEPTH and members:
        reason = "too_deep"
        raise BadLine(reason)
    for key, value in members.items():
        name = prefix + key
        kind = value.__class__
        if kind is dict:
            _add_members(fields, f"{name}.", value, depth + 1)
        elif kind is list:
            _add_list(fields, name, value, depth)
        else:
            text = value if kind is str and value.isascii() else canonical_scalar(value)
            if text is not None and name:
                _put(fields, name, text)
    if len(fields) > MAX_FIELDS:
        reason = "too_many_fields"
        raise BadLine(reason)


def _add_list(fields: dict[str, Value], name: str, values: list[Any], depth: int) -> None:
    if not any(isinstance(value, (dict, list)) for value in values):
        canonical = canonical_list(values)
        if canonical is not None and name:
            _put(fields, name, canonical)
        return
    if depth >= _MAX_DEPTH:
        reason = "too_deep"
        raise BadLine(reason)
    for value in values:
        if isinstance(value, dict):
            _add_members(fields, f"{name}.", value, depth + 2)
        else:
            _add_list(fields, name, value if isinstance(value, list) else [value], depth + 1)


def _put(fields: dict[str, Value], name: str, value: Value) -> None:
    if name in fields:
        add_value(fields, name, value)
    else:
        fields[name] = value


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
