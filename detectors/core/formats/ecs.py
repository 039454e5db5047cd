"""JSON Lines: ECS documents, Windows ``Event`` objects, and other flat or nested JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from detectors.core.events.text import add_value, canonical_list, canonical_scalar
from detectors.core.formats import windows
from detectors.core.formats.record import BadLine, Context, Parsed, decode_line
from detectors.core.formats.times import epoch_time, iso_time
from secops.kernel.logs import Value

MAX_FIELDS: Final = 1_000
_MAX_DEPTH: Final = 16
_MAX_KEPT: Final = 256
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
    top = dict(document)
    top.pop("@timestamp", None)
    _add_members(fields, _known_names(None), top, 0)
    if len(fields) > MAX_FIELDS:
        reason = "too_many_fields"
        raise BadLine(reason)
    return fields


class _Names(dict[str, str]):
    """The dotted names of an object's members: made once, for they come again on every line.

    What a hostile line invents at length or in number is not kept.
    """

    def __init__(self, parent: str | None) -> None:
        super().__init__()
        self._prefix = "" if parent is None else f"{parent}."

    def __missing__(self, key: str) -> str:
        name = self._prefix + key
        if len(self) < MAX_FIELDS and len(name) <= _MAX_KEPT:
            self[key] = name
        return name


_known_names = lru_cache(maxsize=512)(_Names)


def _names_below(name: str) -> _Names:
    return _known_names(name) if len(name) <= _MAX_KEPT else _Names(name)


def _add_members(
    fields: dict[str, Value], names: _Names, members: Mapping[str, Any], depth: int
) -> None:
    """Add what an object holds; the commonest kinds come first (this is ingest's hot loop)."""
    if depth > _MAX_DEPTH and members:
        reason = "too_deep"
        raise BadLine(reason)
    for key, value in members.items():
        kind = value.__class__
        if kind is dict:
            _add_members(fields, _names_below(names[key]), value, depth + 1)
        elif kind is list:
            _add_list(fields, names[key], value, depth)
        else:
            text = value if kind is str and value.isascii() else canonical_scalar(value)
            name = names[key]
            if text is None:
                continue
            if name in fields:
                add_value(fields, name, text)
            elif name:
                fields[name] = text


def _add_list(fields: dict[str, Value], name: str, values: list[Any], depth: int) -> None:
    if not any(isinstance(value, (dict, list)) for value in values):
        canonical = canonical_list(values)
        if canonical is not None and name:
            add_value(fields, name, canonical)
        return
    if depth >= _MAX_DEPTH:
        reason = "too_deep"
        raise BadLine(reason)
    for value in values:
        if isinstance(value, dict):
            _add_members(fields, _names_below(name), value, depth + 2)
        else:
            _add_list(fields, name, value if isinstance(value, list) else [value], depth + 1)


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
    if isinstance(value, str):
        return iso_time(value, context.zone)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reason = "bad_time"
        raise BadLine(reason)
    digits = len(str(int(abs(value))))
    scale = 1 if digits <= _DIGITS_OF_SECONDS else 1_000
    return epoch_time(f"{value / scale:.6f}")
