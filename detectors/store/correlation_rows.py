"""Rows of correlations' tables as values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from detectors.models.correlation import Group, GroupState, Known, Match, NodeKey, Sighted


def text_of(texts: tuple[str, ...]) -> str:
    """Return a group or a value as it is stored."""
    return orjson.dumps(list(texts)).decode()


def texts_in(text: str) -> tuple[str, ...]:
    """Return the group or value that ``text_of`` wrote."""
    return tuple(orjson.loads(text))


def key_values(key: NodeKey, group: Group) -> dict[str, Any]:
    """Return the columns that every row of a group has."""
    return {"correlation": key[0], "version": key[1], "group_key": text_of(group)}


def match_in(row: Any, group: Group) -> Match:
    """Return a match of ``group``."""
    value = None if row.value is None else texts_in(row.value)
    return Match(group, row.at, row.event_id, int(row.rules, 16), value)


def match_values(match: Match) -> Mapping[str, Any]:
    """Return the columns of a match beside its key."""
    return {
        "at": match.at,
        "event_id": match.event_id,
        "rules": f"{match.rules:x}",
        "value": None if match.value is None else text_of(match.value),
    }


def state_in(row: Any) -> GroupState:
    """Return a group's state."""
    group = texts_in(row.group_key)
    return GroupState(group, row.begins_at, row.due_at, row.settled_to, row.revision)


def sighted_in(row: Any, group: Group) -> Sighted:
    """Return a run of sightings of ``group``."""
    return Sighted(group, texts_in(row.value), row.first_at, row.first_event, row.last_at)


def known_in(row: Any) -> Known:
    """Return an inner episode."""
    return Known(row.id, row.first_at, row.last_at, row.fired_at, row.first_event, row.event_count)
