"""Bodies in JSON: which members they have, each of the type it must have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secops.kernel.errors import Invalid
from secops.web.routes import Schema


def body_schema(name: str, required: Mapping[str, Any], **optional: Any) -> Schema:
    """Return the schema of a body of these members and no others."""
    return Schema(
        name,
        {
            "type": "object",
            "required": sorted(required),
            "properties": {**required, **optional},
            "additionalProperties": False,
        },
    )


def text_of(body: Mapping[str, Any], name: str) -> str:
    """Return the text ``name``; raise ``Invalid``."""
    value = body.get(name)
    if not isinstance(value, str):
        msg = f"{name} is a text"
        raise Invalid(msg)
    return value


def fields_of(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object ``name``; raise ``Invalid``."""
    value = body.get(name)
    if not isinstance(value, dict):
        msg = f"{name} is an object of fields"
        raise Invalid(msg)
    return value


def number_of(body: Mapping[str, Any], name: str) -> int:
    """Return the whole number ``name``; raise ``Invalid``."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        msg = f"{name} is a whole number"
        raise Invalid(msg)
    return value
