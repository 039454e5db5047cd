"""What an entry of the ledger changed, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

MAX_CHANGES: Final = 200
_MAX_DEPTH: Final = 6
_MAX_TEXT: Final = 2_000


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field (its path, dotted) and its value before and after; "" is none."""

    field: str
    before: str
    after: str


def recorded_changes(details: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return what ``details`` themselves say was changed.

    An act says it as ``changes`` (a field's name to [before, after], or to a word) or as
    two maps, ``before`` and ``after``; anything else says nothing.
    """
    changes = details.get("changes")
    if isinstance(changes, dict):
        return tuple(_change(name, each) for name, each in changes.items())[:MAX_CHANGES]
    before, after = details.get("before"), details.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        return differences(before, after)
    return ()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the fields in which two maps differ, at most ``MAX_CHANGES``, by their paths."""
    old, new = dict(_fields(before)), dict(_fields(after))
    both = old.keys() | new.keys()
    paths = sorted(path for path in both if old.get(path, "") != new.get(path, ""))
    return tuple(
        FieldChange(path, old.get(path, ""), new.get(path, "")) for path in paths[:MAX_CHANGES]
    )


def _change(name: str, value: object) -> FieldChange:
    """Read ``[before, after]``; a field that names a person says only that it changed."""
    if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 - before and after
        return FieldChange(name, _text(value[0]), _text(value[1]))
    return FieldChange(name, "", _text(value))


def _fields(value: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for name, each in value.items():
        if isinstance(each, dict) and each and depth < _MAX_DEPTH:
            yield from _fields(each, f"{path}{name}.", depth + 1)
        else:
            yield f"{path}{name}", _text(each)


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text[:_MAX_TEXT]
