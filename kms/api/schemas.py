"""What the JSON Schemas of the plane are put together from."""

from __future__ import annotations

from typing import Any, Final, get_args

from secops.kernel.approvals import ApprovalState

TEXT: Final[dict[str, Any]] = {"type": "string"}
TEXT_OR_NULL: Final[dict[str, Any]] = {"type": ["string", "null"]}
TEXTS: Final[dict[str, Any]] = {"type": "array", "items": TEXT}
TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
TIME_OR_NULL: Final[dict[str, Any]] = {"type": ["string", "null"], "format": "date-time"}
BASE64: Final[dict[str, Any]] = {"type": "string", "contentEncoding": "base64"}
APPROVAL_STATE: Final[dict[str, Any]] = {"enum": list(get_args(ApprovalState))}


def object_of(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with ``properties``."""
    return {"type": "object", "required": list(required), "properties": properties}


def page_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a page of ``item``, as every list answers."""
    return object_of(("items", "next"), items={"type": "array", "items": item}, next=TEXT_OR_NULL)
