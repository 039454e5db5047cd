"""A shipped document as fields: ECS as it is, its ``message`` read by the source's format."""

from __future__ import annotations

from typing import Final

from detectors.core.formats.detect import LINE_PARSERS
from detectors.core.formats.ecs import parse_jsonl
from detectors.core.formats.record import BadLine, Context, Parsed
from secops.kernel.logs import Value

_AS_IT_IS: Final = frozenset({"auto", "ecs", "jsonl", "evtx"})


def read_document(raw: bytes, format_name: str, context: Context) -> Parsed:
    """Return what a document says; raise ``BadLine``.

    Where the source is of a line format, its ``message`` is the line, and what the line says
    is added: the shipper's own fields and time stay. A line that is not of that format is
    kept all the same and marked ``log.parse_error``: its shipper would throw it away.
    """
    parsed = parse_jsonl(raw, context)
    message = parsed.fields.get("message")
    if format_name in _AS_IT_IS or not isinstance(message, str):
        return parsed
    fields: dict[str, Value] = dict(parsed.fields)
    try:
        line = LINE_PARSERS[format_name](message.encode(), context)
    except BadLine as bad:
        fields["log.parse_error"] = bad.reason
        return Parsed(parsed.at, fields)
    fields.update(line.fields)
    fields.setdefault("message", message)
    return Parsed(parsed.at, fields)
