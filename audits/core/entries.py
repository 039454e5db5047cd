"""Reading a leaf record for lists: the projection of an entry."""

from __future__ import annotations

from typing import Any, Final

import orjson

from audits.models import EntryRow

_MAX_INSTANT: Final = 2**62


def parse_record(record: bytes) -> dict[str, Any]:
    """Return the fields of ``record``; none if it is not a JSON object."""
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def instant_of(fields: dict[str, Any]) -> int:
    """Return when the act was recorded, 0 if the record does not say."""
    at = fields.get("at")
    return at if type(at) is int and 0 <= at < _MAX_INSTANT else 0


def row_of(index: int, fields: dict[str, Any]) -> EntryRow:
    """Return the row of a record's ``fields``. What it lacks stays empty: the record counts."""
    actor = fields.get("actor")
    actor = actor if isinstance(actor, dict) else {}
    request = fields.get("request")
    return EntryRow(
        index=index,
        at=instant_of(fields),
        action=_text(fields.get("action")),
        actor_id=_text(actor.get("id")),
        org_id=_text(actor.get("org")),
        target=_text(fields.get("target")),
        outcome=_text(fields.get("outcome")),
        request_id=_text(request) if request is not None else None,
    )


def _text(value: object) -> str:
    # a NUL ends a text in some databases; JSON may hold one
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else ""
