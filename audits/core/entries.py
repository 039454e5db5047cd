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


RowValues = tuple[int, str, str, str, str, str, str | None]


def row_of(index: int, fields: dict[str, Any]) -> EntryRow:
    """Return the row of a record's ``fields``. What it lacks stays empty: the record counts."""
    return EntryRow(index, *row_values(fields))


def row_values(fields: dict[str, Any]) -> RowValues:
    """Return what stands in a record's row behind its index, in the order of ``EntryRow``."""
    get = fields.get
    actor = get("actor")
    of_actor = actor.get if isinstance(actor, dict) else _nothing
    request = get("request")
    return (
        instant_of(fields),
        _text(get("action")),
        _text(of_actor("id")),
        _text(of_actor("org")),
        _text(get("target")),
        _text(get("outcome")),
        _text(request) if request is not None else None,
    )


def _nothing(name: str) -> None:
    del name


def _text(value: object) -> str:
    # a NUL ends a text in some databases; JSON may hold one
    if type(value) is not str:
        return ""
    return value if "\x00" not in value else value.replace("\x00", "\ufffd")
