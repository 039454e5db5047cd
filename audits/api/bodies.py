"""Bodies of requests: what their schemas name, of the right types, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from secops.kernel.clock import from_rfc3339
from secops.kernel.errors import Invalid
from secops.web.messages import Request
from secops.web.routes import Schema

MAX_INTEGER: Final = 2**53
"""What JSON's numbers hold exactly, and every database takes."""
FRESH: Final[Mapping[str, Any]] = {"level": 2, "fresh_seconds": 900}
"""What the route of an approval asks of the sign-in: a second factor, just now."""
TEXT: Final[dict[str, Any]] = {"type": "string"}
TEXTS: Final[dict[str, Any]] = {"type": "array", "items": TEXT, "maxItems": 500}
FLAG: Final[dict[str, Any]] = {"type": "boolean"}
COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
RATING: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": 5}


def body_schema(name: str, required: tuple[str, ...], **fields: dict[str, Any]) -> Schema:
    """Return the schema of a body of these fields and no others."""
    return Schema(
        name,
        {
            "type": "object",
            "properties": fields,
            "required": list(required),
            "additionalProperties": False,
        },
    )


def body_of(request: Request, schema: Schema) -> dict[str, Any]:
    """Return the body, whose fields are those of ``schema`` and of their types."""
    body = request.json_object()
    known = schema.schema["properties"]
    for name in schema.schema["required"]:
        if name not in body:
            raise Invalid(f"{name} is missing")
    for name, value in body.items():
        if name not in known:
            raise Invalid(f"{name[:60]} is not a field")
        if not _fits(value, known[name]):
            raise Invalid(f"{name} has the wrong type or value")
    return body


def instant_of(text: str, name: str) -> int:
    """Return the RFC 3339 instant ``text`` of the field ``name``; raise ``Invalid``."""
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise Invalid(f"{name} is a time like 2026-03-01T08:00:00+08:00") from error


def content_of(text: str, name: str = "content") -> bytes:
    """Return the bytes that the field ``name`` holds as Base64; raise ``Invalid``."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own is one; letters beyond ASCII raise no other
        raise Invalid(f"{name} is Base64") from error


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if schema["type"] == "boolean":
        return isinstance(value, bool)
    if schema["type"] == "array":
        fitting = isinstance(value, list) and len(value) <= schema["maxItems"]
        return fitting and all(_fits(item, schema["items"]) for item in value)
    if schema["type"] == "integer":
        number = isinstance(value, int) and not isinstance(value, bool)
        return number and schema["minimum"] <= value <= schema.get("maximum", MAX_INTEGER)
    if schema["type"] == "object":
        return isinstance(value, dict)
    return isinstance(value, str)
